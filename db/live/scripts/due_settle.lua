-- due_settle.lua: a member of a set of dues is settled, or put off, unless it has become due anew since.
-- Returns 1 if it was, else 0.
-- KEYS[1] zset
-- ARGV[1] member  ARGV[2] the score it had when it was begun  ARGV[3] the score it is put off to (ms), 0 for settled
if tonumber(redis.call("ZSCORE", KEYS[1], ARGV[1])) ~= tonumber(ARGV[2]) then
    return 0
end
if ARGV[3] == "0" then
    return redis.call("ZREM", KEYS[1], ARGV[1])
end
redis.call("ZADD", KEYS[1], ARGV[3], ARGV[1])
return 1
