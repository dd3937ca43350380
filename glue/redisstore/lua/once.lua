-- Marks items as used, each whatever becomes of the others. After memory.lua.
-- KEYS: memory, canary; for each item: mark, count of items in the room
-- ARGV: value of this call, our clock (Unix ms), slack of issued (ms), slack of marks (ms);
--       for each item: ms to keep the mark, issued (Unix ms), expires (Unix ms), most items
--       in the room
local now, slack = clock(), tonumber(ARGV[4])
local since, process, marked, noted
local fresh = false

local function once(mark, count, value, keep, issued, expires, most)
  local was = redis.call('GET', mark)
  if was == value then
    return 'first' -- this call's own mark: the client has sent it again
  elseif was then
    return 'used'
  end
  if not since then
    since, process, marked, noted = memory(KEYS[1], KEYS[2], now, tonumber(ARGV[2]), slack, run())
  end
  if tonumber(issued) < since + tonumber(ARGV[3]) then
    return 'lost ' .. num(since) .. (noted and ' noted' or '')
  end
  local latest = math.max(now, marked)
  if tonumber(expires) + slack < latest then
    return 'gone ' .. num(latest) -- its mark may have gone, whatever our clock says
  end
  local n = redis.call('INCR', count)
  if redis.call('PTTL', count) < tonumber(keep) - 60000 then
    redis.call('PEXPIRE', count, keep) -- as long as what it counts, give or take a minute
  end
  if n > tonumber(most) then return 'full' end
  redis.call('SET', mark, value, 'PX', keep)
  fresh = true
  return 'first'
end

local reply = {}
for i = 1, #KEYS / 2 - 1 do
  -- An item that comes twice is used the second time.
  reply[i] = once(KEYS[2*i+1], KEYS[2*i+2], ARGV[1] .. i, ARGV[4*i+1], ARGV[4*i+2], ARGV[4*i+3], ARGV[4*i+4])
end
if fresh then note(KEYS[1], KEYS[2], process, since, marked, now, slack) end
return reply
