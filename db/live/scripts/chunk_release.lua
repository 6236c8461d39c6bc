-- chunk_release.lua: give a chunk back unsent, for a later time.
-- Returns 1, or 0 if the claim had run out and another worker has begun the chunk, or has ended it (nothing is written).
-- KEYS[1] alert hash  KEYS[2] claimed zset  KEYS[3] zset of those to try again later
-- ARGV[1] name of the chunk  ARGV[2] field of how often it was begun  ARGV[3] how often with this worker
-- ARGV[4] its turn (ms)  ARGV[5] field of its state, to forget that it was begun, or ""
local alert, claimed, later = KEYS[1], KEYS[2], KEYS[3]
local name, begun, times, turn, state = unpack(ARGV)
if redis.call("HGET", alert, begun) ~= times or redis.call("ZREM", claimed, name) == 0 then
    return 0
end
if state ~= "" then
    redis.call("HDEL", alert, state)
end
redis.call("ZADD", later, turn, name)
return 1
