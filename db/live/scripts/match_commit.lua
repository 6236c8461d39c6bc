-- match_commit.lua: make what a drain worked out current: state, facts, inbox and wake-up in one step, or not at all.
-- The same for a merge of what Redis has of a match with what history has.
-- Returns {outcome, version, ring, left, rev, purge, push}: outcome "done", or "stale" if another drain committed since `rev`
-- was read (nothing is written); ring is 1 if the history bell was silent and has been set, purge and push the same of theirs;
-- left is how many inbox entries remain, 0 after a merge.
-- KEYS[1] state hash  KEYS[2] events hash  KEYS[3] inbox  KEYS[4] outbox
-- KEYS[5] ingest pending zset  KEYS[6] history pending zset  KEYS[7] history bell  KEYS[8] live matches zset  KEYS[9] board version
-- KEYS[10] purge pending zset  KEYS[11] purge bell  KEYS[12] number of updates that wait
-- KEYS[13] push mailbox, or "" where followers need not hear of it  KEYS[14] push pending zset  KEYS[15] push bell
-- KEYS[16] matches that have something due zset  KEYS[17] partial matches zset: followers hear of none of them until it is merged
-- ARGV[1] match id  ARGV[2] rev the drain read ("0" if none)  ARGV[3] mode: "new" version, "keep" version, "drop" only
-- ARGV[4] match JSON  ARGV[5] score  ARGV[6] time  ARGV[7] status  ARGV[8] facts JSON
-- ARGV[9] start time (ms) while the match is live, else ""  ARGV[10] expiry of state (s; 0 = none)  ARGV[11] bell expiry (s)  ARGV[12] channel
-- ARGV[13] "1" if score or status changed, else "0"
-- ARGV[14] what to purge at the edge, separated by commas, "" for nothing
-- ARGV[15] ledgers JSON  ARGV[16] when something is due (ms), "" for nothing
-- ARGV[17] "" for a drain; for a merge the version that history has, 0 for none
-- ARGV[18] number of ids, then those ids: inbox entries that a drain applied, outbox entries that a merge takes the place of;
-- then pairs of event name and event JSON: those that changed, all of them for a merge
local rev = redis.call("HGET", KEYS[1], "rev") or "0"
if rev ~= ARGV[2] then
    return {"stale", 0, 0, 1, rev, 0, 0}
end
local merging = ARGV[17] ~= ""
local partial = not merging and redis.call("ZSCORE", KEYS[17], ARGV[1])
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local version = tonumber(redis.call("HGET", KEYS[1], "version") or "0")
local ring, purge, push = 0, 0, 0
local ids = tonumber(ARGV[18])
local events = {}
for i = 20 + ids, #ARGV, 2 do
    events[#events + 1] = ARGV[i]
end
if ARGV[3] ~= "drop" then
    if rev == "0" and not merging then
        -- It began without a look into history, which may know it.
        redis.call("ZADD", KEYS[17], "NX", string.format("%.0f", now), ARGV[1])
        partial = true
    end
    if ARGV[3] == "new" then
        version = math.max(version + 1, tonumber(merging and ARGV[17] or "0") + 1, now)
        redis.call("HSET", KEYS[1], "version", string.format("%.0f", version), "updated_at", string.format("%.0f", now))
    end
    -- The clock is in it, so that no revision of a lost Redis comes again: a drain may still remember it.
    rev = string.format("%.0f", math.max(tonumber(rev) + 1, now))
    redis.call("HSET", KEYS[1], "rev", rev,
        "match", ARGV[4], "score", ARGV[5], "time", ARGV[6], "status", ARGV[7], "ledgers", ARGV[15])
    if merging then
        -- Events may have had other names; the outbox entries know less than the one that follows.
        redis.call("DEL", KEYS[2])
        for i = 1, ids do
            redis.call("XDEL", KEYS[4], ARGV[18 + i])
        end
    end
    for i = 19 + ids, #ARGV, 2 do
        redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1])
    end
    local on_board = ARGV[9] ~= "" or redis.call("ZSCORE", KEYS[8], ARGV[1])
    if ARGV[9] ~= "" then
        redis.call("ZADD", KEYS[8], ARGV[9], ARGV[1])
    else
        redis.call("ZREM", KEYS[8], ARGV[1])
    end
    if ARGV[10] ~= "0" then
        redis.call("EXPIRE", KEYS[1], ARGV[10])
        redis.call("EXPIRE", KEYS[2], ARGV[10])
    else
        redis.call("PERSIST", KEYS[1])
        redis.call("PERSIST", KEYS[2])
    end
    -- What no reader sees yet, the voiding of a goal that nobody has told, history has to know all the same.
    if ARGV[3] == "new" or #events > 0 or merging then
        redis.call("XADD", KEYS[4], "*", "version", string.format("%.0f", version), "updated_at",
            redis.call("HGET", KEYS[1], "updated_at"), "match", ARGV[4], "facts", ARGV[8],
            "events", "[" .. table.concat(events, ",") .. "]")
        redis.call("ZADD", KEYS[6], "NX", string.format("%.0f", now), ARGV[1])
        if redis.call("SET", KEYS[7], string.format("%.0f", now), "NX", "EX", ARGV[11]) then
            ring = 1
        end
    end
    if ARGV[3] == "new" then
        local board = 0
        if on_board then
            board = math.max(tonumber(redis.call("GET", KEYS[9]) or "0") + 1, now)
            redis.call("SET", KEYS[9], string.format("%.0f", board))
        end
        for entry in string.gmatch(ARGV[14], "[^,]+") do
            redis.call("ZADD", KEYS[10], string.format("%.0f", now), entry)
        end
        if ARGV[14] ~= "" and redis.call("SET", KEYS[11], string.format("%.0f", now), "NX", "EX", ARGV[11]) then
            purge = 1
        end
        redis.call("PUBLISH", ARGV[12], string.format("%s %.0f %.0f %s", ARGV[1], version, board, ARGV[13]))
    end
end
if KEYS[13] ~= "" and not partial then
    redis.call("XADD", KEYS[13], "*", "version", string.format("%.0f", version), "updated_at",
        redis.call("HGET", KEYS[1], "updated_at"), "match", ARGV[4], "facts", ARGV[8],
        "events", "[" .. table.concat(events, ",") .. "]")
    redis.call("ZADD", KEYS[14], "NX", string.format("%.0f", now), ARGV[1])
    if redis.call("SET", KEYS[15], string.format("%.0f", now), "NX", "EX", ARGV[11]) then
        push = 1
    end
end
if ARGV[16] ~= "" then
    redis.call("ZADD", KEYS[16], ARGV[16], ARGV[1])
else
    redis.call("ZREM", KEYS[16], ARGV[1])
end
if merging then
    redis.call("ZREM", KEYS[17], ARGV[1])
    return {"done", version, ring, 0, rev, purge, push}
end
local taken = 0
for i = 1, ids do
    taken = taken + redis.call("XDEL", KEYS[3], ARGV[18 + i])
end
redis.call("DECRBY", KEYS[12], taken)
local left = redis.call("XLEN", KEYS[3])
if left == 0 then
    redis.call("DEL", KEYS[3])
    redis.call("ZREM", KEYS[5], ARGV[1])
end
return {"done", version, ring, left, rev, purge, push}
