-- Put before the scripts that need to know since when Redis remembers.

-- num writes a whole number in full; Lua would write a large one as 1.7e+12.
local function num(n) return string.format('%.0f', n) end

-- clock is Redis's own time in Unix milliseconds.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- run names the server's process, or is '' where INFO is not permitted.
local function run()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
end

-- memory gives the time, in Unix milliseconds, since which Redis has forgotten
-- nothing. It is written down in key when Redis has not got it, which is when it was
-- emptied, and when another process wrote it: a restart from a snapshot, or a replica
-- that took over, may lack the last writes. The later one of Redis's clock and ours
-- counts. Whoever may not ask for the process relies on those who may. A time that is
-- over an hour away came from a clock so wrong that no login worked with it; kept, it
-- would lock everybody out until then.
local function memory(key, ours)
  local process, now = run(), math.max(clock(), ours)
  local kept = redis.call('GET', key)
  if kept then
    local by, since = string.match(kept, '^(%x*) (%d+)$')
    since = tonumber(since)
    if since and since <= now + 3600000 and (by == process or process == '') then return since end
  end
  redis.call('SET', key, process .. ' ' .. num(now))
  return now
end
