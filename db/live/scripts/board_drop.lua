-- board_drop.lua: take a match that nobody speaks of any more off the board; what is known of it stays as it was told.
-- The next commit of the match puts it back, and sets its expiry anew. Returns 1 if it was dropped, 0 if it was not there or has moved since.
-- KEYS[1] state hash  KEYS[2] live matches zset  KEYS[3] board version  KEYS[4] events hash  KEYS[5] board changes zset
-- KEYS[6] bounds of the changes hash
-- ARGV[1] match id  ARGV[2] version it was read at  ARGV[3] PUBLISH or SPUBLISH  ARGV[4] channel  ARGV[5] expiry of state (s)
local state, live_matches, board_version, events, changes, bounds = unpack(KEYS, 1, 6)
local match_id, version, publish, channel, expiry_s = unpack(ARGV, 1, 5)
if redis.call("HGET", state, "version") ~= version or redis.call("ZREM", live_matches, match_id) == 0 then
    return 0
end
redis.call("EXPIRE", state, expiry_s)
redis.call("EXPIRE", events, expiry_s)
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local board = advance(board_version, changes, bounds, match_id, now, false)
redis.call(publish, channel, string.format("%s %s %.0f 1", match_id, version, board))
return 1
