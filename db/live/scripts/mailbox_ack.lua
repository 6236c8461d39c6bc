-- mailbox_ack.lua: drop what has been dealt with. An empty mailbox leaves the pending set; one that was filled meanwhile waits
-- since then, or the matches that change all the time would always come first.
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
else
    local first = redis.call("XRANGE", mailbox, "-", "+", "COUNT", 1)[1][1]
    redis.call("ZADD", pending, "XX", string.match(first, "^%d+"), match_id)
end
return left
