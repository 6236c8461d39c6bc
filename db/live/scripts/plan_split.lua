-- plan_split.lua: split a plan that has not begun into slices, which several workers plan at once.
-- `chunked` tells the release before, which knows no slices, to leave the devices alone.
-- Returns 1, or 0 if the plan has begun, was split before, or its alert was stopped (nothing is written).
-- KEYS[1] alert hash  KEYS[2] zset of alerts in slices
-- ARGV[1] alert id  ARGV[2] user ids between the slices, JSON  ARGV[3] now (ms)
local alert, sliced = KEYS[1], KEYS[2]
local id, bounds, now = ARGV[1], ARGV[2], ARGV[3]
local begun = redis.call("HMGET", alert, "stopped", "chunked", "place", "alert")
if begun[1] or begun[2] or begun[3] or not begun[4] then
    return 0
end
redis.call("HSET", alert, "slices", bounds, "chunked", 1)
redis.call("ZADD", sliced, now, id)
return 1
