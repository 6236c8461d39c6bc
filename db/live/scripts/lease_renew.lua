-- lease_renew.lua: take a lease, keep it, or give it up.
-- Returns 1 if the caller holds it now, else 0.
-- KEYS[1] lease   ARGV[1] token of the caller   ARGV[2] for how long (ms), 0 to give it up
local lease, token, ms = KEYS[1], ARGV[1], tonumber(ARGV[2])
local holder = redis.call('GET', lease)
if holder and holder ~= token then
  return 0
end
if ms == 0 then
  redis.call('DEL', lease)
  return 0
end
redis.call('SET', lease, token, 'PX', ms)
return 1
