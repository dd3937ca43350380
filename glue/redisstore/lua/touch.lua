-- Notes that a session is in use, unless it has ended meanwhile.
-- KEYS: record
-- ARGV: our clock (Unix ms), life without use in ms (0: for ever)
local now, idle = tonumber(ARGV[1]), tonumber(ARGV[2])
local was = redis.call('HMGET', KEYS[1], 'used', 'finish')
if not was[1] or not was[2] then return 0 end
if now > tonumber(was[1]) then redis.call('HSET', KEYS[1], 'used', ARGV[1]) end
local left = math.min(idle, tonumber(was[2]) - now)
if left > 0 then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left)) end
return 1
