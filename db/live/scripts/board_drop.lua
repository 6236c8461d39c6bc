-- board_drop.lua: take a match that nobody speaks of any more off the board; what is known of it stays as it was told.
-- The next commit of the match puts it back, and sets its expiry anew. Returns 1 if it was dropped, 0 if it was not there or has moved since.
-- KEYS[1] state hash  KEYS[2] live matches zset  KEYS[3] board version  KEYS[4] events hash
-- ARGV[1] match id  ARGV[2] version it was read at  ARGV[3] PUBLISH or SPUBLISH  ARGV[4] channel  ARGV[5] expiry of state (s)
local state, live_matches, board_version, events = unpack(KEYS, 1, 4)
local match_id, version, publish, channel, expiry_s = unpack(ARGV, 1, 5)
if redis.call("HGET", state, "version") ~= version or redis.call("ZREM", live_matches, match_id) == 0 then
    return 0
end
redis.call("EXPIRE", state, expiry_s)
redis.call("EXPIRE", events, expiry_s)
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local board = string.format("%.0f", math.max(tonumber(redis.call("GET", board_version) or "0") + 1, now))
redis.call("SET", board_version, board)
redis.call(publish, channel, match_id .. " " .. version .. " " .. board .. " 1")
return 1
