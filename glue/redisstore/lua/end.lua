-- Ends a session. After session.lua.
-- KEYS: record
-- ARGV: handle, prefix of lists, then, where only this person's may be ended, the person
if ARGV[3] and redis.call('HGET', KEYS[1], 'person') ~= ARGV[3] then return 0 end
return drop(KEYS[1], ARGV[1], ARGV[2])
