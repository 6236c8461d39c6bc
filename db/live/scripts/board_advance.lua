-- board_advance.lua: a part of the scripts that change the board, read before each of them (db.live.client.lua).
-- Gives the board its next version and logs which match it is of, in the same step as the change itself.
-- The log has each match once, by the board's version at its last change; `since` is the version from which the log is
-- complete, `told` that of the newest change that releases readers, `through` the newest that was logged.
-- The release before changes the board and logs nothing: then `through` is behind, and the log begins anew (decision 0031).

-- ms, which versions are as well. How long a reader may be away and still be told the difference; and after how long a
-- clock that only runs on is confirmed, which pages stop after 15 minutes (clock.js).
local LOG_MS, CONFIRM_MS = 600000, 600000

-- quiet: lists show nothing new of it but the minute, which a display that counts on shows anyway. Returns the version,
-- and whether readers are to learn of it, if only to know that the clock still runs.
local function advance(board_version, changes, bounds, match_id, now, quiet)
    local before = redis.call("GET", board_version) or "0"
    local board = math.max(tonumber(before) + 1, now)
    local at = string.format("%.0f", board)
    redis.call("SET", board_version, at)
    local since, told, through = unpack(redis.call("HMGET", bounds, "since", "told", "through"))
    if not through then
        -- Before the log there may have been another Redis: no older reader can be told what changed.
        since, told = at, at
    elseif through ~= before then
        since, told = before, before
    end
    -- Those who wait have `told`, however long ago that was.
    local oldest = math.max(tonumber(since), math.min(tonumber(told), board - LOG_MS))
    since = string.format("%.0f", oldest)
    redis.call("ZREMRANGEBYSCORE", changes, "-inf", since)
    if not quiet then
        told = at
    end
    redis.call("HSET", bounds, "since", since, "told", told, "through", at)
    if quiet and tonumber(redis.call("ZSCORE", changes, match_id) or since) > board - CONFIRM_MS then
        return board, false
    end
    redis.call("ZADD", changes, at, match_id)
    return board, true
end
