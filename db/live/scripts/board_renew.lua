-- board_renew.lua: begin the log of the board's changes anew in a Redis that may have lost some of them.
-- Everybody is told the whole board next. Returns 1, or 0 if the log is this Redis's already (nothing is written).
-- KEYS[1] board version  KEYS[2] board changes zset  KEYS[3] bounds of the changes hash
-- ARGV[1] name of this Redis
local board_version, changes, bounds = unpack(KEYS, 1, 3)
local name = ARGV[1]
if redis.call("HGET", bounds, "redis") == name then
    return 0
end
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local at = string.format("%.0f", math.max(tonumber(redis.call("GET", board_version) or "0") + 1, now))
redis.call("SET", board_version, at)
redis.call("DEL", changes)
redis.call("HSET", bounds, "since", at, "told", at, "through", at, "redis", name)
return 1
