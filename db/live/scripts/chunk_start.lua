-- chunk_start.lua: begin a claimed chunk, unless its alert was stopped: then it is over, and nobody of it is told.
-- Its state is the version of the alert it was first begun with, or "skipped".
-- Returns {alert JSON, told_at, devices, by whom it was refused, 1 if it was not begun before, tries before, progress,
-- how often it was begun}, or nil if it is not to be sent: also where the worker that had it before has ended it since.
-- KEYS[1] alert hash  KEYS[2] chunk  KEYS[3] claimed zset  KEYS[4] progress of a worker that began it before
-- ARGV[1] name of the chunk  ARGV[2] field of its state  ARGV[3] field of its tries  ARGV[4] field of how often it was begun
local alert, chunk, claimed, progress = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local name, state, tries, begun = unpack(ARGV, 1, 4)
if not redis.call("ZSCORE", claimed, name) then
    return nil
end
local fields = redis.call("HMGET", alert, "alert", "told_at", "stopped", "refused", "version", tries)
local devices = redis.call("GET", chunk)
if not fields[1] or fields[3] or not devices then
    redis.call("ZREM", claimed, name)
    if fields[1] and redis.call("HSETNX", alert, state, "skipped") == 1 then
        redis.call("HINCRBY", alert, "skipped", 1)
    end
    return nil
end
local first = redis.call("HSETNX", alert, state, fields[5])
local times = redis.call("HINCRBY", alert, begun, 1)
local before = redis.call("GET", progress) or ""
return {fields[1], fields[2], devices, fields[4] or "", first, fields[6] or "0", before, times}
