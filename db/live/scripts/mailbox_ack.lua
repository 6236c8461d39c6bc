-- mailbox_ack.lua: drop what has been dealt with; an empty mailbox leaves the pending set.
-- Returns how many entries are left.
-- KEYS[1] inbox or outbox stream  KEYS[2] pending zset
-- ARGV[1] match id  ARGV[2 ..] ids of the entries to drop
local mailbox, pending = unpack(KEYS, 1, 2)
local match_id = ARGV[1]
for i = 2, #ARGV do
    redis.call("XDEL", mailbox, ARGV[i])
end
local left = redis.call("XLEN", mailbox)
if left == 0 then
    redis.call("DEL", mailbox)
    redis.call("ZREM", pending, match_id)
end
return left
