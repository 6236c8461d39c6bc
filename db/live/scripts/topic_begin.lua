-- topic_begin.lua: note that an alert is about to be published to a topic, unless that was noted before, or the alert
-- was stopped or amended since it was read. The note comes before the request, so that a killed worker repeats nothing.
-- Returns 1, or 0 if it must not be published (nothing is written).
-- KEYS[1] alert hash
-- ARGV[1] version of the alert as it was read  ARGV[2] topic: a kind and a variant
local alert = KEYS[1]
local version, topic = ARGV[1], ARGV[2]
if redis.call("HGET", alert, "version") ~= version or redis.call("HEXISTS", alert, "stopped") == 1 then
    return 0
end
if redis.call("HSETNX", alert, "topic:" .. topic, 1) == 0 then
    return 0
end
redis.call("HSETNX", alert, "told:" .. topic, version)
return 1
