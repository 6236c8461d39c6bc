-- chunk_claim.lua: take the chunk whose turn it is; one whose worker fell silent has its turn again.
-- Returns its name, or nil if none is ready.
-- KEYS[1] ready zset  KEYS[2] claimed zset  KEYS[3] zset of those to try again later
-- ARGV[1] now (ms)  ARGV[2] until when the claim holds (ms)
for i = 2, 3 do
    for _, name in ipairs(redis.call("ZRANGEBYSCORE", KEYS[i], "-inf", ARGV[1])) do
        redis.call("ZREM", KEYS[i], name)
        redis.call("ZADD", KEYS[1], ARGV[1], name)
    end
end
local name = redis.call("ZRANGE", KEYS[1], 0, 0)[1]
if not name then
    return nil
end
redis.call("ZREM", KEYS[1], name)
redis.call("ZADD", KEYS[2], ARGV[2], name)
return name
