-- picture_claim.lua: take a match whose picture is to be drawn, for a while; whoever dies with it leaves it to be taken again.
-- Returns 1, or 0 if another worker has taken it, or it has changed, since it was read.
-- KEYS[1] pictures pending zset
-- ARGV[1] match id  ARGV[2] the score that it was read with (ms)  ARGV[3] until when it is taken (ms)
local pending = KEYS[1]
local match_id, read_score, until_ms = unpack(ARGV, 1, 3)
if redis.call("ZSCORE", pending, match_id) ~= read_score then
    return 0
end
redis.call("ZADD", pending, until_ms, match_id)
return 1
