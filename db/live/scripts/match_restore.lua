-- match_restore.lua: put a match read from history back into Redis, unless it is there already.
-- Returns 1 if it was written, 0 if there was one.
-- KEYS[1] state hash  KEYS[2] events hash  KEYS[3] live matches zset  KEYS[4] board version
-- ARGV[1] match id  ARGV[2] version  ARGV[3] updated_at (ms)  ARGV[4] match JSON  ARGV[5] score  ARGV[6] time
-- ARGV[7] status  ARGV[8] start time (ms) while the match is live, else ""  ARGV[9] expiry (s; 0 = none)
-- ARGV[10] ledgers JSON, "" for a match of a release that kept none  ARGV[11 ..] pairs of event id and event JSON
if redis.call("EXISTS", KEYS[1]) == 1 then
    return 0
end
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call("HSET", KEYS[1], "version", ARGV[2], "updated_at", ARGV[3], "rev", string.format("%.0f", now), "match", ARGV[4],
    "score", ARGV[5], "time", ARGV[6], "status", ARGV[7])
if ARGV[10] ~= "" then
    redis.call("HSET", KEYS[1], "ledgers", ARGV[10])
end
redis.call("DEL", KEYS[2])
for i = 11, #ARGV, 2 do
    redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1])
end
if ARGV[8] ~= "" then
    redis.call("ZADD", KEYS[3], ARGV[8], ARGV[1])
    redis.call("SET", KEYS[4], string.format("%.0f", math.max(tonumber(redis.call("GET", KEYS[4]) or "0") + 1, now)))
end
if ARGV[9] ~= "0" then
    redis.call("EXPIRE", KEYS[1], ARGV[9])
    redis.call("EXPIRE", KEYS[2], ARGV[9])
end
return 1
