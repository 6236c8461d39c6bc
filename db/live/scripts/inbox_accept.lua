-- inbox_accept.lua: put the updates of one delivery for one shard, or a part of many, into their matches' inboxes, all or none, once.
-- The last part marks the delivery as seen: one that broke off comes again whole, and repeats change nothing.
-- Returns {outcome, number, backlog}: outcome "new", or "seen" if this shard has had the delivery before (nothing is written);
-- number is 1 if the shard's bell was silent and has been set, so that the caller enqueues a job; backlog is how many updates
-- wait in the shard, where some were put.
-- Where this Redis is divided in another number of shards nothing is written: outcome "other", and that number.
-- KEYS[1] seen marker  KEYS[2] number of updates that wait  KEYS[3] number of shards  KEYS[4] pending zset  KEYS[5] bell
-- KEYS[6 ..] inbox stream, one per update
-- ARGV[1] now (ms)  ARGV[2] seen expiry (s)  ARGV[3] bell expiry (s)  ARGV[4] number of shards
-- ARGV[5] what to do with the seen marker: "set", "ask" for a part that is not the last, "none" for a delivery without an id
-- ARGV[6 ..] per update: match id, payload
local seen, waiting, recorded_count, pending, bell = unpack(KEYS, 1, 5)
local now, seen_s, bell_s, shard_count, mark = unpack(ARGV, 1, 5)
redis.call("SET", recorded_count, shard_count, "NX")
local recorded = redis.call("GET", recorded_count)
if recorded ~= shard_count then
    return {"other", tonumber(recorded)}
end
if mark == "ask" and redis.call("EXISTS", seen) == 1 then
    return {"seen", 0}
end
if mark == "set" and not redis.call("SET", seen, now, "NX", "EX", seen_s) then
    return {"seen", 0}
end
for i = 6, #ARGV, 2 do
    redis.call("XADD", KEYS[5 + (i - 4) / 2], "*", "u", ARGV[i + 1])
    redis.call("ZADD", pending, "NX", now, ARGV[i])
end
if #ARGV == 5 then
    return {"new", 0}
end
local backlog = redis.call("INCRBY", waiting, (#ARGV - 5) / 2)
return {"new", redis.call("SET", bell, now, "NX", "EX", bell_s) and 1 or 0, backlog}
