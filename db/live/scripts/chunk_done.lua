-- chunk_done.lua: count a chunk's outcomes and let it go; what is tried again becomes chunks of its own, by due time.
-- Returns 1, or 0 if the claim had run out and another worker has begun the chunk, or has ended it (nothing is counted).
-- KEYS[1] alert hash  KEYS[2] claimed zset  KEYS[3] zset of those to try again later  KEYS[4] those of the chunk whom it
-- did not reach  KEYS[5 ..] a chunk for each group to try again
-- ARGV[1] name of the chunk  ARGV[2] devices not reached, packed  ARGV[3] expiry (s)  ARGV[4] who refused the alert and
-- why, "transport:reason …", or ""  ARGV[5] tries so far  ARGV[6] field of how often it was begun  ARGV[7] how often with
-- this worker  ARGV[8 .. 7+4n] of each group its name, devices, turn (ms) and field of its tries, then pairs of counter
-- and amount
local alert, claimed, later, missed = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name, unreached, expiry, refused, tries, begun, times = unpack(ARGV, 1, 7)
if redis.call("HGET", alert, begun) ~= times or redis.call("ZREM", claimed, name) == 0 then
    return 0
end
if unreached ~= "" then
    redis.call("SET", missed, unreached, "EX", expiry)
end
local at = 8
for i = 5, #KEYS do
    local group, devices, turn, field = unpack(ARGV, at, at + 3)
    redis.call("SET", KEYS[i], devices, "EX", expiry)
    redis.call("HSET", alert, field, tries)
    redis.call("ZADD", later, turn, group)
    at = at + 4
end
if refused ~= "" then
    local before = redis.call("HGET", alert, "refused")
    redis.call("HSET", alert, "refused", before and before .. " " .. refused or refused)
end
for i = at, #ARGV, 2 do
    redis.call("HINCRBY", alert, ARGV[i], ARGV[i + 1])
end
return 1
