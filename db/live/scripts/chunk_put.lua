-- chunk_put.lua: add a chunk to a plan, or to a slice of it, and note where that goes on from.
-- Returns 1, or 0 if another planner has gone on from the same place, or the alert was stopped (nothing is written).
-- KEYS[1] alert hash  KEYS[2] chunk  KEYS[3] ready zset
-- ARGV[1] name of the chunk  ARGV[2] its devices, packed  ARGV[3] how many those are  ARGV[4] field of the place
-- ARGV[5] the place the chunk begins at, "" at the start  ARGV[6] the place after it  ARGV[7] its turn (ms)
-- ARGV[8] expiry (s)
local alert, chunk, ready = KEYS[1], KEYS[2], KEYS[3]
local name, devices, count, field, before, after, turn, expiry = unpack(ARGV)
if (redis.call("HGET", alert, field) or "") ~= before or redis.call("HEXISTS", alert, "stopped") == 1 then
    return 0
end
redis.call("SET", chunk, devices, "EX", expiry)
redis.call("HINCRBY", alert, "devices", count)
redis.call("HSET", alert, field, after)
redis.call("ZADD", ready, turn, name)
return 1
