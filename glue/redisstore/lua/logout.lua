-- Marks a word as that of a logout, never as of an earlier time than it is marked with, and
-- returns whose sessions may have it.
-- KEYS: the mark, the people. ARGV: when they logged out, how long that matters in ms.
local at = redis.call('GET', KEYS[1])
if not at or tonumber(ARGV[1]) > tonumber(at) then
	redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return redis.call('SMEMBERS', KEYS[2])
