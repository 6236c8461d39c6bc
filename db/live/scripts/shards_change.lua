-- shards_change.lua: record another number of ingest shards, unless updates wait: they would be looked for elsewhere.
-- Returns {matches that wait, matches that are parked}: zeros if it was recorded.
-- KEYS[1] number of shards  KEYS[2] parked zset  KEYS[3 ..] pending zset of each shard, of the old and the new number
-- ARGV[1] number as it was read, 0 for none  ARGV[2] new number
if (redis.call("GET", KEYS[1]) or "0") ~= ARGV[1] then
    return redis.error_reply("TRYAGAIN the number of shards was changed meanwhile")
end
local waiting = 0
for i = 3, #KEYS do
    waiting = waiting + redis.call("ZCARD", KEYS[i])
end
local parked = redis.call("ZCARD", KEYS[2])
if waiting + parked == 0 then
    redis.call("SET", KEYS[1], ARGV[2])
end
return {waiting, parked}
