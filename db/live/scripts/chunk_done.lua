-- chunk_done.lua: count a chunk's outcomes and let it go; what is worth another try becomes a chunk of its own.
-- Returns 1, or 0 if the claim had run out and another worker has the chunk (nothing is counted).
-- KEYS[1] alert hash  KEYS[2] claimed zset  KEYS[3] zset of those to try again later  KEYS[4] chunk of those to try again
-- KEYS[5] those of the chunk whom it did not reach
-- ARGV[1] name of the chunk  ARGV[2] devices not reached, packed  ARGV[3] name of the chunk to try again, or ""  ARGV[4] its devices, packed
-- ARGV[5] its turn (ms)  ARGV[6] expiry of both (s)  ARGV[7] who refused the alert and why, "transport:reason …", or ""  ARGV[8 ..] pairs of counter and amount
if redis.call("ZREM", KEYS[2], ARGV[1]) == 0 then
    return 0
end
if ARGV[2] ~= "" then
    redis.call("SET", KEYS[5], ARGV[2], "EX", ARGV[6])
end
if ARGV[3] ~= "" then
    redis.call("SET", KEYS[4], ARGV[4], "EX", ARGV[6])
    redis.call("ZADD", KEYS[3], ARGV[5], ARGV[3])
end
if ARGV[7] ~= "" then
    local before = redis.call("HGET", KEYS[1], "refused")
    redis.call("HSET", KEYS[1], "refused", before and before .. " " .. ARGV[7] or ARGV[7])
end
for i = 8, #ARGV, 2 do
    redis.call("HINCRBY", KEYS[1], ARGV[i], ARGV[i + 1])
end
return 1
