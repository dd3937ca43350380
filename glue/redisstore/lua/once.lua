-- Marks an item as used. After memory.lua.
-- KEYS: mark, memory, count of unsigned items
-- ARGV: value of this call, ms to keep the mark, issued (Unix ms), our clock (Unix ms),
--       slack (ms), most unsigned items (0: this one is signed), ms to keep the count
local was = redis.call('GET', KEYS[1])
if was == ARGV[1] then
  return { 'first' } -- this call's own mark: the client has sent it again
elseif was then
  return { 'used' }
end
local since = memory(KEYS[2], tonumber(ARGV[4]))
if tonumber(ARGV[3]) < since + tonumber(ARGV[5]) then
  return { 'lost', num(since) }
end
local most = tonumber(ARGV[6])
if most > 0 then
  local count = redis.call('INCR', KEYS[3])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
  if count > most then return { 'full' } end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 'first' }
