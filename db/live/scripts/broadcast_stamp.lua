-- broadcast_stamp.lua: a timestamp for a Live Activity's state, by which phones tell old from new (Apple: whole seconds).
-- It follows the version, which is Redis' time, and is higher than the one before; the same version keeps its own.
-- Returns it (s), or nil if a newer version was given one.
-- KEYS[1] window hash
-- ARGV[1] version (ms)  ARGV[2] expiry (s)
local window = KEYS[1]
local version, expiry = tonumber(ARGV[1]), ARGV[2]
local shown = redis.call("HMGET", window, "shown_version", "shown_at")
local newest, last = tonumber(shown[1] or -1), tonumber(shown[2] or 0)
if version < newest then
    return nil
end
local at = last
if version > newest then
    at = math.max(math.floor(version / 1000), last + 1)
end
redis.call("HSET", window, "shown_version", ARGV[1], "shown_at", string.format("%.0f", at))
redis.call("EXPIRE", window, expiry)
return string.format("%.0f", at)
