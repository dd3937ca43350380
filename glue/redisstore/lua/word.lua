-- Notes whose session may have a word, for as long as any of them may last.
-- KEYS: the people
-- ARGV: one of them, how long the session may last in ms
redis.call('SADD', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
