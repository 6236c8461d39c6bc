-- match_commit.lua: make what a drain worked out current: state, facts, inbox and wake-up in one step, or not at all.
-- The same for a merge of what Redis has of a match with what history has.
-- Returns {outcome, version, ring, left, rev, purge, push, dropped, draw}: outcome "done", or "stale" if another drain committed since `rev`
-- was read (nothing is written); ring is 1 if the history bell was silent and has been set, purge, push and draw the same of theirs;
-- left is how many inbox entries remain, 0 after a merge; dropped, how many versions the outlet will not come to publish.
-- KEYS[1] state hash  KEYS[2] events hash  KEYS[3] inbox  KEYS[4] outbox
-- KEYS[5] ingest pending zset  KEYS[6] history pending zset  KEYS[7] history bell  KEYS[8] live matches zset  KEYS[9] board version
-- KEYS[10] purge pending zset  KEYS[11] purge bell  KEYS[12] number of updates that wait
-- KEYS[13] push mailbox  KEYS[14] push pending zset  KEYS[15] push bell
-- KEYS[16] matches that have something due zset  KEYS[17] partial matches zset: followers hear of none of them until it is merged
-- KEYS[18] board changes zset  KEYS[19] bounds of the changes hash  KEYS[20] outlet stream  KEYS[21] outlet pending zset
-- KEYS[22] pictures pending zset  KEYS[23] pictures bell
-- Arguments go by place: one JSON document of the same 4.6 KB costs Redis 20 to 35 us more, and the caller 30 us.
-- ARGV[1] match id  ARGV[2] rev the drain read ("0" if none)  ARGV[3] mode: "new" version, "keep" version, "drop" only
-- ARGV[4] match JSON  ARGV[5] score  ARGV[6] time  ARGV[7] status  ARGV[8] facts JSON
-- ARGV[9] start time (ms) while the match is live, else ""  ARGV[10] expiry of state (s; 0 = none)  ARGV[11] bell expiry (s)
-- ARGV[12] PUBLISH or SPUBLISH  ARGV[13] channel
-- ARGV[14] "1" if score or status changed, "-" if a list shows nothing new but the minute, else "0"
-- ARGV[15] what to purge at the edge, separated by commas, "" for nothing
-- ARGV[16] "1" if followers may want to hear of it, else "0"
-- ARGV[17] ledgers JSON  ARGV[18] when something is due (ms), "" for nothing
-- ARGV[19] "" for a drain; for a merge the version that history has, 0 for none
-- ARGV[20] minutes played  ARGV[21] when that was so (ms), both "" where they are not known
-- ARGV[22] "1" if the timeline is another, else "0"
-- ARGV[23] what the outlet is to publish of a new version, JSON, "" where there is no outlet
-- ARGV[24] "1" if the picture of the match shows something else of a new version, else "0"
-- ARGV[25] number of ids, then those ids: inbox entries that a drain applied, outbox entries that a merge takes the place of;
-- then pairs of event name and event JSON: those that changed, all of them for a merge
local state, events, inbox, outbox, ingest_pending, history_pending, history_bell, live_matches, board_version =
    unpack(KEYS, 1, 9)
local purge_pending, purge_bell, waiting, mailbox, push_pending, push_bell, due_matches, partial_matches =
    unpack(KEYS, 10, 17)
local changes, bounds, outlet, outlet_pending = unpack(KEYS, 18, 21)
local pictures_pending, pictures_bell = unpack(KEYS, 22, 23)
local match_id, read_rev, mode, match, score, time, status, facts, start_ms =
    unpack(ARGV, 1, 9)
local expiry_s, bell_s, publish, channel, urgent, purges, tell, ledgers, due_ms, floor =
    unpack(ARGV, 10, 19)
local played, played_at, timeline, message, draws, id_count = unpack(ARGV, 20, 25)
local rev = redis.call("HGET", state, "rev") or "0"
if rev ~= read_rev then
    return {"stale", 0, 0, 1, rev, 0, 0, 0, 0}
end
local merging = floor ~= ""
local partial = not merging and redis.call("ZSCORE", partial_matches, match_id)
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local before, events_through, shown, shown_at =
    unpack(redis.call("HMGET", state, "version", "events_through", "shown", "shown_at"))
local version = tonumber(before or "0")
local ring, purge, push, dropped, draw = 0, 0, 0, 0, 0
local ids = tonumber(id_count)
local touched = {}
for i = 27 + ids, #ARGV, 2 do
    touched[#touched + 1] = ARGV[i]
end

-- Whether a display that counts on from the minute that readers of the board were told last shows this minute.
local function runs_on()
    if not shown or shown == "" or played == "" then
        return shown == played
    end
    return math.abs(played - shown - (played_at - shown_at) / 60000) <= 1
end

-- The match as it is now, for whoever works on it next.
local function put_into(box, documents, ...)
    redis.call("XADD", box, "*", "version", string.format("%.0f", version), "updated_at",
        redis.call("HGET", state, "updated_at"), "match", match, "facts", facts,
        "events", "[" .. table.concat(documents, ",") .. "]", ...)
end

-- The same for history, which keeps the newest of a match and of each event, and every version with a score or status of
-- its own. So an entry without one, which names the events it has, is taken up into the next. MERGED_MAX: events of one
-- entry, for each step writes them again.
local MERGED_MAX = 50
local function put_into_outbox()
    local names, is_named = {}, {}
    for i = 26 + ids, #ARGV, 2 do
        names[#names + 1] = ARGV[i]
        is_named[ARGV[i]] = true
    end
    local plain = urgent ~= "1" and not merging
    local last = redis.call("XREVRANGE", outbox, "+", "-", "COUNT", 1)[1]
    local fields = {}
    for i = 1, last and #last[2] or 0, 2 do
        fields[last[2][i]] = last[2][i + 1]
    end
    local earlier = fields.names and cjson.decode(fields.names) or {}
    local documents = {}
    for i = 1, #touched do
        documents[i] = touched[i]
    end
    if fields.names and #earlier + #names <= MERGED_MAX then
        redis.call("XDEL", outbox, last[1])
        for _, name in ipairs(earlier) do
            local document = not is_named[name] and redis.call("HGET", events, name)
            if document then
                names[#names + 1] = name
                documents[#documents + 1] = document
            end
        end
    end
    if plain and #names <= MERGED_MAX then
        put_into(outbox, documents, "names", #names > 0 and cjson.encode(names) or "[]")
    else
        put_into(outbox, documents)
    end
end

-- What is to be published of the version. OUTLET_MAX: of one match, the newest; a Kafka that is away must not fill Redis.
-- It expires, for nobody may be there to publish it.
local OUTLET_MAX, OUTLET_S = 500, 86400
local function put_into_outlet()
    dropped = math.max(0, redis.call("XLEN", outlet) + 1 - OUTLET_MAX)
    redis.call("XADD", outlet, "MAXLEN", OUTLET_MAX, "*", "version", string.format("%.0f", version), "updated_at",
        string.format("%.0f", now), "message", message)
    redis.call("ZADD", outlet_pending, "NX", string.format("%.0f", now), match_id)
    redis.call("EXPIRE", outlet, OUTLET_S)
    redis.call("EXPIRE", outlet_pending, OUTLET_S)
end

-- One that a worker has claimed is due again at once; one that waits keeps its turn.
local function want_picture()
    local since = redis.call("ZSCORE", pictures_pending, match_id)
    if not since or tonumber(since) > now then
        redis.call("ZADD", pictures_pending, string.format("%.0f", now), match_id)
    end
    if redis.call("SET", pictures_bell, string.format("%.0f", now), "NX", "EX", bell_s) then
        draw = 1
    end
end

if mode ~= "drop" then
    if rev == "0" and not merging then
        -- It began without a look into history, which may know it.
        redis.call("ZADD", partial_matches, "NX", string.format("%.0f", now), match_id)
        partial = true
    end
    if mode == "new" then
        version = math.max(version + 1, tonumber(merging and floor or "0") + 1, now)
        local at = string.format("%.0f", version)
        redis.call("HSET", state, "version", at, "updated_at", string.format("%.0f", now), "events_through", at)
        -- Where it is not known of the version before, it is taken for another.
        if timeline == "1" or not events_through or before ~= events_through then
            redis.call("HSET", state, "events_version", at)
        end
    elseif timeline == "1" then
        redis.call("HDEL", state, "events_through")
    end
    -- The clock is in it, so that no revision of a lost Redis comes again: a drain may still remember it.
    rev = string.format("%.0f", math.max(tonumber(rev) + 1, now))
    redis.call("HSET", state, "rev", rev,
        "match", match, "score", score, "time", time, "status", status, "ledgers", ledgers)
    if merging then
        -- Events may have had other names; the outbox entries know less than the one that follows.
        redis.call("DEL", events)
        for i = 1, ids do
            redis.call("XDEL", outbox, ARGV[25 + i])
        end
    end
    for i = 26 + ids, #ARGV, 2 do
        redis.call("HSET", events, ARGV[i], ARGV[i + 1])
    end
    local was_on_board = redis.call("ZSCORE", live_matches, match_id)
    local on_board = start_ms ~= "" or was_on_board
    if start_ms ~= "" then
        redis.call("ZADD", live_matches, start_ms, match_id)
    else
        redis.call("ZREM", live_matches, match_id)
    end
    if expiry_s ~= "0" then
        redis.call("EXPIRE", state, expiry_s)
        redis.call("EXPIRE", events, expiry_s)
    else
        redis.call("PERSIST", state)
        redis.call("PERSIST", events)
    end
    -- What no reader sees yet, the voiding of a goal that nobody has told, history has to know all the same.
    if mode == "new" or #touched > 0 or merging then
        put_into_outbox()
        redis.call("ZADD", history_pending, "NX", string.format("%.0f", now), match_id)
        if redis.call("SET", history_bell, string.format("%.0f", now), "NX", "EX", bell_s) then
            ring = 1
        end
    end
    if mode == "new" then
        local board = 0
        if on_board then
            local quiet = urgent == "-" and was_on_board and start_ms ~= "" and runs_on()
            local tells
            board, tells = advance(board_version, changes, bounds, match_id, now, quiet)
            if tells then
                redis.call("HSET", state, "shown", played, "shown_at", played_at)
                urgent = urgent == "1" and "1" or "0"
            end
        end
        for entry in string.gmatch(purges, "[^,]+") do
            redis.call("ZADD", purge_pending, string.format("%.0f", now), entry)
        end
        if purges ~= "" and redis.call("SET", purge_bell, string.format("%.0f", now), "NX", "EX", bell_s) then
            purge = 1
        end
        if message ~= "" then
            put_into_outlet()
        end
        if draws == "1" then
            want_picture()
        end
        redis.call(publish, channel, string.format("%s %.0f %.0f %s", match_id, version, board, urgent))
    end
end
if tell == "1" and not partial then
    put_into(mailbox, touched)
    redis.call("ZADD", push_pending, "NX", string.format("%.0f", now), match_id)
    if redis.call("SET", push_bell, string.format("%.0f", now), "NX", "EX", bell_s) then
        push = 1
    end
end
if due_ms ~= "" then
    redis.call("ZADD", due_matches, due_ms, match_id)
else
    redis.call("ZREM", due_matches, match_id)
end
if merging then
    redis.call("ZREM", partial_matches, match_id)
    return {"done", version, ring, 0, rev, purge, push, dropped, draw}
end
local taken = 0
for i = 1, ids do
    taken = taken + redis.call("XDEL", inbox, ARGV[25 + i])
end
redis.call("DECRBY", waiting, taken)
local left = redis.call("XLEN", inbox)
if left == 0 then
    redis.call("DEL", inbox)
    redis.call("ZREM", ingest_pending, match_id)
end
return {"done", version, ring, left, rev, purge, push, dropped, draw}
