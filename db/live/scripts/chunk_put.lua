-- chunk_put.lua: add the next chunk to a plan, and where the plan goes on from.
-- Returns 1, or 0 if another planner has added it, or the alert was stopped (nothing is written).
-- KEYS[1] alert hash  KEYS[2] chunk  KEYS[3] ready zset
-- ARGV[1] number of the chunk  ARGV[2] its devices, packed  ARGV[3] how many those are  ARGV[4] place the plan has reached
-- ARGV[5] name of the chunk  ARGV[6] its turn (ms)  ARGV[7] expiry (s)
if redis.call("HGET", KEYS[1], "planned") ~= ARGV[1] or redis.call("HEXISTS", KEYS[1], "stopped") == 1 then
    return 0
end
redis.call("SET", KEYS[2], ARGV[2], "EX", ARGV[7])
redis.call("HINCRBY", KEYS[1], "planned", 1)
redis.call("HINCRBY", KEYS[1], "devices", ARGV[3])
redis.call("HSET", KEYS[1], "place", ARGV[4])
redis.call("ZADD", KEYS[3], ARGV[6], ARGV[5])
return 1
