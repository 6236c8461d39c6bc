-- due_settle.lua: a member of a set of dues is settled, or put off, unless it has become due anew since.
-- Returns 1 if it was, else 0.
-- KEYS[1] zset
-- ARGV[1] member  ARGV[2] the score it had when it was begun  ARGV[3] the score it is put off to (ms), 0 for settled
local dues = KEYS[1]
local member, begun_at, put_off_to = unpack(ARGV, 1, 3)
if tonumber(redis.call("ZSCORE", dues, member)) ~= tonumber(begun_at) then
    return 0
end
if put_off_to == "0" then
    return redis.call("ZREM", dues, member)
end
redis.call("ZADD", dues, put_off_to, member)
return 1
