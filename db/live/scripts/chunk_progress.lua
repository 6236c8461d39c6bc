-- chunk_progress.lua: note devices of a chunk that are handed over or settled, for the worker that takes over if this one
-- dies.
-- Returns 1, or 0 if another worker has begun the chunk since (nothing is written).
-- KEYS[1] alert hash  KEYS[2] progress
-- ARGV[1] field of how often it was begun  ARGV[2] how often with this worker  ARGV[3] devices with what became of them,
-- packed  ARGV[4] expiry (s)
local alert, progress = KEYS[1], KEYS[2]
local begun, times, entries, expiry = unpack(ARGV, 1, 4)
if redis.call("HGET", alert, begun) ~= times then
    return 0
end
redis.call("APPEND", progress, entries)
redis.call("EXPIRE", progress, expiry)
return 1
