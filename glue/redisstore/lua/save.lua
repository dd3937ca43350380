-- Saves a session. After session.lua.
-- KEYS: record, list of the person's sessions
-- ARGV: 'new' or 'again', handle, prefix of lists, values, person ('' for nobody),
--       end to show (Unix s, or ''), our clock (Unix ms), and in ms: life from the
--       start, life from now (0: none), life without use (0: for ever)
local handle, people, values, person, shown = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local now, life, age, idle = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local start = now
if ARGV[1] == 'again' then
  local was = redis.call('HMGET', KEYS[1], 'start', 'person')
  if not was[1] or not was[2] then return 'ended' end -- it must not come back
  if was[2] ~= person then
    drop(KEYS[1], handle, people)
    return 'renew'
  end
  start = tonumber(was[1])
end

local left = start + life - now
if age > 0 then left = math.min(left, age) end
if left <= 0 then
  drop(KEYS[1], handle, people)
  return 'ended'
end
redis.call('HSET', KEYS[1], 'values', values, 'person', person, 'shown', shown,
  'start', num(start), 'finish', num(now + left), 'used', num(now))
redis.call('PEXPIRE', KEYS[1], num(idle > 0 and math.min(idle, left) or left))

if person ~= '' then
  local t = redis.call('TIME') -- the clock that the expiry of keys goes by
  local clock = t[1] * 1000 + math.floor(t[2] / 1000)
  local expired = redis.call('ZCOUNT', KEYS[2], '-inf', num(clock))
  if expired > 0 then -- a few at a time, because everybody waits meanwhile
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, math.min(expired, 100) - 1)
  end
  redis.call('ZADD', KEYS[2], num(clock + left), handle)
  if redis.call('PTTL', KEYS[2]) < left then redis.call('PEXPIRE', KEYS[2], num(left)) end
end
return 'saved'
