-- picture_put.lua: keep the picture that was drawn in place of the match's last, or none, and drop its claim.
-- Returns 1, or 0 if the match has changed since it was claimed: then it waits to be drawn anew, and nothing is written.
-- KEYS[1] pictures pending zset  KEYS[2] picture hash  KEYS[3] pictures kept zset
-- ARGV[1] match id  ARGV[2] until when it is claimed (ms)  ARGV[3] digest  ARGV[4] PNG, "" for no picture
-- ARGV[5] expiry (s)
local pending, picture, kept = unpack(KEYS, 1, 3)
local match_id, until_ms, digest, png, expiry_s = unpack(ARGV, 1, 5)
if redis.call("ZSCORE", pending, match_id) ~= until_ms then
    return 0
end
redis.call("ZREM", pending, match_id)
if png == "" then
    redis.call("DEL", picture)
    redis.call("ZREM", kept, match_id)
    return 1
end
local t = redis.call("TIME")
redis.call("HSET", picture, "digest", digest, "png", png)
redis.call("EXPIRE", picture, expiry_s)
redis.call("ZADD", kept, string.format("%.0f", t[1] * 1000 + math.floor(t[2] / 1000)), match_id)
return 1
