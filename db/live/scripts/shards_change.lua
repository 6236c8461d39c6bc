-- shards_change.lua: record another number of ingest shards, unless updates wait: they would be looked for elsewhere.
-- Returns {matches that wait, matches that are parked}: zeros if it was recorded.
-- KEYS[1] number of shards  KEYS[2] parked zset  KEYS[3 ..] pending zset of each shard, of the old and the new number
-- ARGV[1] number as it was read, 0 for none  ARGV[2] new number
local recorded, parked_matches = unpack(KEYS, 1, 2)
local read_count, new_count = unpack(ARGV, 1, 2)
if (redis.call("GET", recorded) or "0") ~= read_count then
    return redis.error_reply("TRYAGAIN the number of shards was changed meanwhile")
end
local waiting = 0
for i = 3, #KEYS do
    waiting = waiting + redis.call("ZCARD", KEYS[i])
end
local parked = redis.call("ZCARD", parked_matches)
if waiting + parked == 0 then
    redis.call("SET", recorded, new_count)
end
return {waiting, parked}
