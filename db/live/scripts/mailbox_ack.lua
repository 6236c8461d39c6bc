-- mailbox_ack.lua: drop what has been dealt with; an empty mailbox leaves the pending set.
-- Returns how many entries are left.
-- KEYS[1] inbox or outbox stream  KEYS[2] pending zset
-- ARGV[1] match id  ARGV[2 ..] ids of the entries to drop
for i = 2, #ARGV do
    redis.call("XDEL", KEYS[1], ARGV[i])
end
local left = redis.call("XLEN", KEYS[1])
if left == 0 then
    redis.call("DEL", KEYS[1])
    redis.call("ZREM", KEYS[2], ARGV[1])
end
return left
