-- due_settle.lua: a member of a set of dues is settled, unless it has become due again since.
-- Returns 1 if it was removed, else 0.
-- KEYS[1] zset
-- ARGV[1] member  ARGV[2] the score it had when it was begun
if tonumber(redis.call("ZSCORE", KEYS[1], ARGV[1])) == tonumber(ARGV[2]) then
    return redis.call("ZREM", KEYS[1], ARGV[1])
end
return 0
