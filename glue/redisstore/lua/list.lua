-- Lists the sessions of a person, and forgets about those that are gone.
-- KEYS: list of the person's sessions
-- ARGV: prefix of records, the most to give
local found = {}
for _, handle in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1)) do
  local s = redis.call('HMGET', ARGV[1] .. handle, 'start', 'used', 'finish', 'shown')
  if s[1] and s[2] and s[3] and s[4] then
    found[#found + 1] = { handle, s[1], s[2], s[3], s[4] }
  else
    redis.call('ZREM', KEYS[1], handle)
  end
end
return found
