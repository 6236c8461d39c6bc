-- chunk_start.lua: begin a claimed chunk, unless its alert was stopped: then it is over, and nobody of it is told.
-- Its state is the version of the alert it first began to tell, or "skipped".
-- Returns {alert JSON, told_at, devices, by whom it was refused, 1 if it was not begun before}, or nil if it is not to be sent.
-- KEYS[1] alert hash  KEYS[2] chunk  KEYS[3] claimed zset
-- ARGV[1] name of the chunk  ARGV[2] field of its state
local alert = redis.call("HMGET", KEYS[1], "alert", "told_at", "stopped", "refused", "version")
local devices = redis.call("GET", KEYS[2])
if not alert[1] or alert[3] or not devices then
    redis.call("ZREM", KEYS[3], ARGV[1])
    if alert[1] and redis.call("HSETNX", KEYS[1], ARGV[2], "skipped") == 1 then
        redis.call("HINCRBY", KEYS[1], "skipped", 1)
    end
    return nil
end
local first = redis.call("HSETNX", KEYS[1], ARGV[2], alert[5])
return {alert[1], alert[2], devices, alert[4] or "", first}
