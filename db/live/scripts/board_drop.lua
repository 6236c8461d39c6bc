-- board_drop.lua: take a match that nobody speaks of any more off the board; what is known of it stays as it was told.
-- The next commit of the match puts it back, and sets its expiry anew. Returns 1 if it was dropped, 0 if it was not there or has moved since.
-- KEYS[1] state hash  KEYS[2] live matches zset  KEYS[3] board version  KEYS[4] events hash
-- ARGV[1] match id  ARGV[2] version it was read at  ARGV[3] channel  ARGV[4] expiry of state (s)
if redis.call("HGET", KEYS[1], "version") ~= ARGV[2] or redis.call("ZREM", KEYS[2], ARGV[1]) == 0 then
    return 0
end
redis.call("EXPIRE", KEYS[1], ARGV[4])
redis.call("EXPIRE", KEYS[4], ARGV[4])
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local board = string.format("%.0f", math.max(tonumber(redis.call("GET", KEYS[3]) or "0") + 1, now))
redis.call("SET", KEYS[3], board)
redis.call("PUBLISH", ARGV[3], ARGV[1] .. " " .. ARGV[2] .. " " .. board .. " 1")
return 1
