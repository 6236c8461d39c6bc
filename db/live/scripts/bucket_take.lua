-- bucket_take.lua: take one token from a bucket that fills steadily.
-- Returns 0 if there was one, else how long until there is (ms).
-- KEYS[1] bucket hash
-- ARGV[1] now (ms)  ARGV[2] size (tokens)  ARGV[3] time to fill one (ms)
local size, every = tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call("HMGET", KEYS[1], "tokens", "at")
local now = math.max(tonumber(ARGV[1]), tonumber(held[2] or ARGV[1]))
local tokens = math.min(size, tonumber(held[1] or size) + (now - tonumber(held[2] or now)) / every)
local wait = 0
if tokens >= 1 then
    tokens = tokens - 1
else
    wait = math.ceil((1 - tokens) * every)
end
redis.call("HSET", KEYS[1], "tokens", tostring(tokens), "at", string.format("%.0f", now))
redis.call("PEXPIRE", KEYS[1], math.ceil(size * every))
return wait
