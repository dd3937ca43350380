-- Ends sessions of a person, those that end first. After session.lua.
-- KEYS: list of the person's sessions
-- ARGV: prefix of records, prefix of lists, how many to end if there are so many, handles
--       to leave alone
local keep = {}
for i = 4, #ARGV do keep[ARGV[i]] = true end
local ended, found = 0, 0
for _, handle in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[3] + #ARGV - 4)) do
  if not keep[handle] then
    found = found + 1
    ended = ended + drop(ARGV[1] .. handle, handle, ARGV[2])
    redis.call('ZREM', KEYS[1], handle) -- where its record was gone already
  end
end
return { ended, found }
