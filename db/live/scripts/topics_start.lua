-- topics_start.lua: begin to tell topics of an alert, unless it was stopped or mended since it was read.
-- Returns 1, or 0 if it was (nothing is written).
-- KEYS[1] alert hash
-- ARGV[1] version of the alert as it was read  ARGV[2 ..] topics, each a kind and a variant
if redis.call("HGET", KEYS[1], "version") ~= ARGV[1] or redis.call("HEXISTS", KEYS[1], "stopped") == 1 then
    return 0
end
for i = 2, #ARGV do
    redis.call("HSETNX", KEYS[1], "told:" .. ARGV[i], ARGV[1])
end
return 1
