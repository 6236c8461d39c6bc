-- purge_ack.lua: drop what has been purged, unless a later commit wants it purged again; ask for a second purge later.
-- Returns how many entries were dropped.
-- KEYS[1] pending or rebound zset  KEYS[2] rebound zset
-- ARGV[1] when to purge again (ms), "" for never  ARGV[2 ..] pairs of entry and the score it was read with
local dropped = 0
for i = 2, #ARGV, 2 do
    if redis.call("ZSCORE", KEYS[1], ARGV[i]) == ARGV[i + 1] then
        dropped = dropped + redis.call("ZREM", KEYS[1], ARGV[i])
    end
    if ARGV[1] ~= "" then
        redis.call("ZADD", KEYS[2], ARGV[1], ARGV[i])
    end
end
return dropped
