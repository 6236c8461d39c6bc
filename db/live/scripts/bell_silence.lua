-- bell_silence.lua: silence a bell if, and only if, nothing is left to fetch; a filled mailbox keeps its bell.
-- Returns 1 if the bell is now silent, 0 if there is work.
-- KEYS[1] pending zset  KEYS[2] bell  ARGV[1] up to when work is due (ms); without it, all there is
local pending, bell = unpack(KEYS, 1, 2)
if redis.call("ZCOUNT", pending, "-inf", ARGV[1] or "+inf") > 0 then
    return 0
end
redis.call("DEL", bell)
return 1
