-- Ends sessions of a person, those that end first. After session.lua.
-- KEYS: list of the person's sessions
-- ARGV: prefix of records, prefix of lists, the most to end, handles to leave alone
local keep = {}
for i = 4, #ARGV do keep[ARGV[i]] = true end
local found, ended = 0, 0
for _, handle in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[3] + #ARGV - 4)) do
  if not keep[handle] and found < tonumber(ARGV[3]) then
    found = found + 1
    redis.call('EXISTS', KEYS[1], ARGV[1] .. handle) -- an error, if it is on its way here, see list.lua
    ended = ended + drop(ARGV[1] .. handle, handle, ARGV[2])
    redis.call('ZREM', KEYS[1], handle) -- where its record was gone already
  end
end
return { ended, found }
