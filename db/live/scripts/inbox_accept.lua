-- inbox_accept.lua: put the updates of one delivery, or of a part of a long one, into their matches' inboxes, all or none, once.
-- The last part marks the delivery as seen: one that broke off comes again whole, and repeats change nothing.
-- Returns {accepted, bells}: accepted is 1, or 0 if this delivery was seen before; bells are the indexes
-- (1-based) of the shards whose bell was silent and has been set: the caller enqueues one job for each.
-- Where this Redis is drained in another number of shards nothing is written: accepted is -1, bells holds that number.
-- KEYS[1] seen marker (or "" for a delivery without an id)
-- KEYS[2] number of updates that wait, over all inboxes
-- KEYS[3] number of shards
-- KEYS[4 .. 3+2*shards]     pending zset and bell, alternating, per shard
-- KEYS[4+2*shards ..]       inbox stream, one per update
-- ARGV[1] now (ms)  ARGV[2] seen expiry (s)  ARGV[3] bell expiry (s)  ARGV[4] shards
-- ARGV[5] "1" for the last or only part, else "0"
-- ARGV[6 ..] per update: shard index (1-based), match id, payload
local seen, waiting, recorded_shards = unpack(KEYS, 1, 3)
local now, seen_s, bell_s, shard_count, is_last = unpack(ARGV, 1, 5)
local shards = tonumber(shard_count)
redis.call("SET", recorded_shards, shard_count, "NX")
local recorded = redis.call("GET", recorded_shards)
if recorded ~= shard_count then
    return {-1, {tonumber(recorded)}}
end
if seen ~= "" then
    if is_last == "0" then
        if redis.call("EXISTS", seen) == 1 then
            return {0, {}}
        end
    elseif not redis.call("SET", seen, now, "NX", "EX", seen_s) then
        return {0, {}}
    end
end
local rung = {}
local first = 3 + 2 * shards
for i = 6, #ARGV, 3 do
    local shard = tonumber(ARGV[i])
    redis.call("XADD", KEYS[first + (i - 6) / 3 + 1], "*", "u", ARGV[i + 2])
    redis.call("ZADD", KEYS[2 + 2 * shard], "NX", now, ARGV[i + 1])
    if redis.call("SET", KEYS[3 + 2 * shard], now, "NX", "EX", bell_s) then
        rung[#rung + 1] = shard
    end
end
redis.call("INCRBY", waiting, (#ARGV - 5) / 3)
return {1, rung}
