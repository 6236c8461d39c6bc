-- alerts_commit.lua: take in what a match's push mailbox said: window, alerts and mailbox in one step, or not at all.
-- Returns 1, or 0 if another worker committed since `rev` was read (nothing is written).
-- KEYS[1] window hash  KEYS[2] push mailbox  KEYS[3] push pending zset  KEYS[4] windows zset  KEYS[5] unplanned zset
-- KEYS[6] recent alerts zset  KEYS[7] broadcasts zset
-- KEYS[8 .. 7+n+m] hash of each new alert and of each mended one, then the hash of each alert to stop
-- ARGV[1] match id  ARGV[2] rev  ARGV[3] window JSON  ARGV[4] expiry of window (s)  ARGV[5] when waiting news is due (ms), or ""
-- ARGV[6] now (ms)  ARGV[7] "1" if a broadcast is due  ARGV[8] expiry of alerts (s)  ARGV[9] recent alerts kept
-- ARGV[10] n new alerts  ARGV[11] m mended ones, then of each of both its id, JSON and version
-- ARGV[12+3(n+m)] number of mailbox ids, then those ids, then pairs of a kind and the version of the newest alert that told it
local rev = redis.call("HGET", KEYS[1], "rev") or "0"
if rev ~= ARGV[2] then
    return 0
end
redis.call("HSET", KEYS[1], "rev", string.format("%.0f", tonumber(rev) + 1), "window", ARGV[3])
redis.call("EXPIRE", KEYS[1], ARGV[4])
if ARGV[5] ~= "" then
    redis.call("ZADD", KEYS[4], ARGV[5], ARGV[1])
else
    redis.call("ZREM", KEYS[4], ARGV[1])
end
if ARGV[7] == "1" then
    redis.call("ZADD", KEYS[7], ARGV[6], ARGV[1])
end
local n = tonumber(ARGV[10])
local drafts = n + tonumber(ARGV[11])
for i = 1, drafts do
    local id, alert, version, key = ARGV[9 + 3 * i], ARGV[10 + 3 * i], ARGV[11 + 3 * i], KEYS[7 + i]
    if i <= n then
        redis.call("DEL", key)
        redis.call("HSET", key, "alert", alert, "version", version, "told_at", ARGV[6], "planned", 0)
        redis.call("EXPIRE", key, ARGV[8])
        redis.call("ZADD", KEYS[5], ARGV[6], id)
        redis.call("ZADD", KEYS[6], ARGV[6], id)
    elseif redis.call("EXISTS", key) == 1 then
        redis.call("HSET", key, "alert", alert, "version", version)
    end
end
redis.call("ZREMRANGEBYRANK", KEYS[6], 0, -1 - tonumber(ARGV[9]))
for i = 8 + drafts, #KEYS do
    if redis.call("EXISTS", KEYS[i]) == 1 then
        redis.call("HSET", KEYS[i], "stopped", "cancelled")
    end
end
local first = 12 + 3 * drafts
for i = 1, tonumber(ARGV[first]) do
    redis.call("XDEL", KEYS[2], ARGV[first + i])
end
for i = first + tonumber(ARGV[first]) + 1, #ARGV, 2 do
    redis.call("HSET", KEYS[1], "newest:" .. ARGV[i], ARGV[i + 1])
end
if redis.call("XLEN", KEYS[2]) == 0 then
    redis.call("DEL", KEYS[2])
    redis.call("ZREM", KEYS[3], ARGV[1])
end
return 1
