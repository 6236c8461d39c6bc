-- match_restore.lua: put a match read from history back into Redis, unless it is there already.
-- Returns 1 if it was written, 0 if there was one.
-- KEYS[1] state hash  KEYS[2] events hash  KEYS[3] live matches zset  KEYS[4] board version  KEYS[5] board changes zset
-- KEYS[6] bounds of the changes hash
-- ARGV[1] match id  ARGV[2] version  ARGV[3] updated_at (ms)  ARGV[4] match JSON  ARGV[5] score  ARGV[6] time
-- ARGV[7] status  ARGV[8] start time (ms) while the match is live, else ""  ARGV[9] expiry (s; 0 = none)
-- ARGV[10] ledgers JSON, "" for a match of a release that kept none  ARGV[11 ..] pairs of event id and event JSON
local state, events, live_matches, board_version, changes, bounds = unpack(KEYS, 1, 6)
local match_id, version, updated_at, match, score, time, status, start_ms, expiry_s, ledgers = unpack(ARGV, 1, 10)
if redis.call("EXISTS", state) == 1 then
    return 0
end
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call("HSET", state, "version", version, "updated_at", updated_at, "rev", string.format("%.0f", now), "match", match,
    "score", score, "time", time, "status", status)
if ledgers ~= "" then
    redis.call("HSET", state, "ledgers", ledgers)
end
redis.call("DEL", events)
for i = 11, #ARGV, 2 do
    redis.call("HSET", events, ARGV[i], ARGV[i + 1])
end
if start_ms ~= "" then
    redis.call("ZADD", live_matches, start_ms, match_id)
    advance(board_version, changes, bounds, match_id, now, false)
end
if expiry_s ~= "0" then
    redis.call("EXPIRE", state, expiry_s)
    redis.call("EXPIRE", events, expiry_s)
end
return 1
