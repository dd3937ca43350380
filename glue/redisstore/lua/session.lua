-- Put before the scripts that end sessions.

-- num writes a whole number in full; Lua would write a large one as 1.7e+12.
local function num(n) return string.format('%.0f', n) end

-- drop forgets a session and takes it from the list of its person. Where the slot is on its
-- way to another master, the list may be there already: whoever reads it leaves out what has
-- ended.
local function drop(record, handle, people)
  local person = redis.call('HGET', record, 'person')
  if not person then return 0 end
  redis.call('DEL', record)
  if person ~= '' then redis.pcall('ZREM', people .. person, handle) end
  return 1
end
