-- chunk_claim.lua: take the chunk whose turn it is; one whose worker fell silent has its turn again.
-- Returns its name, or nil if none is ready.
-- KEYS[1] ready zset  KEYS[2] claimed zset  KEYS[3] zset of those to try again later
-- ARGV[1] now (ms)  ARGV[2] until when the claim holds (ms)
local ready, claimed, later = unpack(KEYS, 1, 3)
local now, claimed_until = unpack(ARGV, 1, 2)
for _, set in ipairs({claimed, later}) do
    for _, name in ipairs(redis.call("ZRANGEBYSCORE", set, "-inf", now)) do
        redis.call("ZREM", set, name)
        redis.call("ZADD", ready, now, name)
    end
end
local name = redis.call("ZRANGE", ready, 0, 0)[1]
if not name then
    return nil
end
redis.call("ZREM", ready, name)
redis.call("ZADD", claimed, claimed_until, name)
return name
