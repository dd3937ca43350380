-- Lists sessions of a person, those that end last, and forgets about those that are gone.
-- KEYS: list of the person's sessions
-- ARGV: prefix of records, how many entries of the list to pass over, the most to look at
local from, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local page = redis.call('ZREVRANGE', KEYS[1], from, from + most - 1)
local found, gone = {}, {}
for _, handle in ipairs(page) do
  local s = redis.call('HMGET', ARGV[1] .. handle, 'start', 'used', 'finish', 'shown')
  if s[1] and s[2] and s[3] and s[4] then
    found[#found + 1] = { handle, s[1], s[2], s[3], s[4] }
  else
    -- With two keys a master that is just getting their slot says so, by an error; asked for
    -- the record alone, it takes one that is still on its way for none.
    redis.call('EXISTS', KEYS[1], ARGV[1] .. handle)
    gone[#gone + 1] = handle
  end
end
if #gone > 0 then
  local n = redis.pcall('ZREM', KEYS[1], unpack(gone)) -- another time, where Redis takes no writes
  if type(n) == 'number' then from = from - n end
end
return { #page < most and -1 or from + #page, found } -- from where to go on, if there is more
