-- alerts_commit.lua: take in what a match's push mailbox said: window, alerts and mailbox in one step, or not at all.
-- Returns 1, or 0 if another worker committed since `rev` was read (nothing is written).
-- KEYS[1] window hash  KEYS[2] push mailbox  KEYS[3] push pending zset  KEYS[4] windows zset  KEYS[5] unplanned zset
-- KEYS[6] recent alerts zset  KEYS[7] broadcasts zset
-- KEYS[8 .. 7+n+m] hash of each new alert and of each mended one, then the hash of each alert to stop
-- ARGV[1] match id  ARGV[2] rev  ARGV[3] window JSON  ARGV[4] expiry of window (s)  ARGV[5] when waiting news is due (ms), or ""
-- ARGV[6] now (ms)  ARGV[7] "1" if a broadcast is due  ARGV[8] expiry of alerts (s)  ARGV[9] recent alerts kept
-- ARGV[10] n new alerts  ARGV[11] m mended ones, then of each of both its id, JSON and version
-- ARGV[12+3(n+m)] number of mailbox ids, then those ids, then pairs of a kind and the version of the newest alert that told it
local window, mailbox, pending, windows, unplanned, recent, broadcasts = unpack(KEYS, 1, 7)
local match_id, read_rev, window_json, window_s, due_ms, now, is_broadcast, alert_s, recent_max = unpack(ARGV, 1, 9)
local rev = redis.call("HGET", window, "rev") or "0"
if rev ~= read_rev then
    return 0
end
redis.call("HSET", window, "rev", string.format("%.0f", tonumber(rev) + 1), "window", window_json)
redis.call("EXPIRE", window, window_s)
if due_ms ~= "" then
    redis.call("ZADD", windows, due_ms, match_id)
else
    redis.call("ZREM", windows, match_id)
end
if is_broadcast == "1" then
    redis.call("ZADD", broadcasts, now, match_id)
end
local n = tonumber(ARGV[10])
local drafts = n + tonumber(ARGV[11])
for i = 1, drafts do
    local id, alert, version, key = ARGV[9 + 3 * i], ARGV[10 + 3 * i], ARGV[11 + 3 * i], KEYS[7 + i]
    if i <= n then
        redis.call("DEL", key)
        redis.call("HSET", key, "alert", alert, "version", version, "told_at", now, "planned", 0)
        redis.call("EXPIRE", key, alert_s)
        redis.call("ZADD", unplanned, now, id)
        redis.call("ZADD", recent, now, id)
    elseif redis.call("EXISTS", key) == 1 then
        redis.call("HSET", key, "alert", alert, "version", version)
    end
end
redis.call("ZREMRANGEBYRANK", recent, 0, -1 - tonumber(recent_max))
for i = 8 + drafts, #KEYS do
    if redis.call("EXISTS", KEYS[i]) == 1 then
        redis.call("HSET", KEYS[i], "stopped", "cancelled")
    end
end
local first = 12 + 3 * drafts
for i = 1, tonumber(ARGV[first]) do
    redis.call("XDEL", mailbox, ARGV[first + i])
end
for i = first + tonumber(ARGV[first]) + 1, #ARGV, 2 do
    redis.call("HSET", window, "newest:" .. ARGV[i], ARGV[i + 1])
end
if redis.call("XLEN", mailbox) == 0 then
    redis.call("DEL", mailbox)
    redis.call("ZREM", pending, match_id)
end
return 1
