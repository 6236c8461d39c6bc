-- purge_ack.lua: drop what has been purged, unless a later commit wants it purged again; ask for a second purge later.
-- Returns how many entries were dropped.
-- KEYS[1] pending or rebound zset  KEYS[2] rebound zset
-- ARGV[1] when to purge again (ms), "" for never  ARGV[2 ..] pairs of entry and the score it was read with
local read_from, rebounds = unpack(KEYS, 1, 2)
local again_at = ARGV[1]
local dropped = 0
for i = 2, #ARGV, 2 do
    if redis.call("ZSCORE", read_from, ARGV[i]) == ARGV[i + 1] then
        dropped = dropped + redis.call("ZREM", read_from, ARGV[i])
    end
    if again_at ~= "" then
        redis.call("ZADD", rebounds, again_at, ARGV[i])
    end
end
return dropped
