-- Marks an item as used. After memory.lua.
-- KEYS: mark, memory, canary, count of items in the room
-- ARGV: value of this call, ms to keep the mark, issued (Unix ms), expires (Unix ms),
--       our clock (Unix ms), slack of issued (ms), slack of marks (ms), most items in the
--       room
local was = redis.call('GET', KEYS[1])
if was == ARGV[1] then
  return { 'first' } -- this call's own mark: the client has sent it again
elseif was then
  return { 'used' }
end
local now, slack = clock(), tonumber(ARGV[7])
local since, process, marked = memory(KEYS[2], KEYS[3], now, tonumber(ARGV[5]), slack)
if tonumber(ARGV[3]) < since + tonumber(ARGV[6]) then
  return { 'lost', num(since) }
end
if tonumber(ARGV[4]) + slack < now then
  return { 'gone', num(now) } -- its mark may have gone, whatever our clock says
end
local count = redis.call('INCR', KEYS[4])
if redis.call('PTTL', KEYS[4]) < tonumber(ARGV[2]) - 60000 then
  redis.call('PEXPIRE', KEYS[4], ARGV[2]) -- as long as what it counts, give or take a minute
end
if count > tonumber(ARGV[8]) then return { 'full' } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if math.abs(now - marked) >= 1000 then -- once a second is enough
  redis.call('SET', KEYS[2], process .. ' ' .. num(since) .. ' ' .. num(now))
  redis.call('SET', KEYS[3], '', 'PX', ARGV[7])
end
return { 'first' }
