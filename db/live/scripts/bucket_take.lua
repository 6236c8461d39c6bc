-- bucket_take.lua: take one token from a bucket that fills steadily.
-- Returns 0 if there was one, else how long until there is (ms).
-- KEYS[1] bucket hash
-- ARGV[1] now (ms)  ARGV[2] size (tokens)  ARGV[3] time to fill one (ms)
local bucket = KEYS[1]
local now_ms = ARGV[1]
local size, every = tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call("HMGET", bucket, "tokens", "at")
local now = math.max(tonumber(now_ms), tonumber(held[2] or now_ms))
local tokens = math.min(size, tonumber(held[1] or size) + (now - tonumber(held[2] or now)) / every)
local wait = 0
if tokens >= 1 then
    tokens = tokens - 1
else
    wait = math.ceil((1 - tokens) * every)
end
redis.call("HSET", bucket, "tokens", tostring(tokens), "at", string.format("%.0f", now))
redis.call("PEXPIRE", bucket, math.ceil(size * every))
return wait
