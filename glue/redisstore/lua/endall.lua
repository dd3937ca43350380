-- Ends all sessions of a person. After session.lua.
-- KEYS: list of the person's sessions
-- ARGV: prefix of records, prefix of lists, handles to leave alone
local keep = {}
for i = 3, #ARGV do keep[ARGV[i]] = true end
local count = 0
for _, handle in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not keep[handle] then
    count = count + drop(ARGV[1] .. handle, handle, ARGV[2])
    redis.call('ZREM', KEYS[1], handle) -- where its record was gone already
  end
end
return count
