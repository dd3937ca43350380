-- Put before the scripts that need to know since when Redis remembers.

-- num writes a whole number in full; Lua would write a large one as 1.7e+12.
local function num(n) return string.format('%.0f', n) end

-- clock is Redis's own time in Unix milliseconds.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- info is a section of what the server says of itself, or '' where that is not permitted.
local function info(section)
  local text = redis.pcall('INFO', section)
  return type(text) == 'string' and text or ''
end

-- run names the server's process and its time as a master, or is '' where INFO is not
-- permitted. A master that was a replica in between is the same process, and lacks what the
-- other one lacked; each time that it takes over it has another master_replid2, which is 0
-- before the first.
local function run()
  local process = string.match(info('server'), 'run_id:(%x+)')
  if not process then return '' end
  return process .. (string.match(info('replication'), 'master_replid2:(%x*[1-9a-f]%x*)') or '')
end

-- leapt reports whether Redis's clock was ahead, since the last note that all was well, for so
-- long that marks which are still needed have gone: it is slack ms behind that note now, or
-- the canary, which lasts slack ms from each note, did not last. Marks outlive their items by
-- slack, so that a smaller leap takes none.
local function leapt(canary, gone, slack)
  return gone < -slack or gone < slack * 0.9 and redis.call('EXISTS', canary) == 0
end

-- memory gives the time, in Unix milliseconds, since which Redis has forgotten
-- nothing, who noted that, when all was well last, by Redis's clock, which says now, and
-- whether that was written down just now.
-- It is written down in key when Redis has not got it, which is when it was emptied, and
-- when another process wrote it: a restart from a snapshot, or a replica that took over, may
-- lack the last writes; and when Redis's clock leapt. The later one of Redis's clock and ours
-- counts. Whoever may not ask for the process relies on those who may. A time that is over an
-- hour away came from a clock so wrong that no login worked with it; kept, it would lock
-- everybody out until then.
-- process is that of run.
local function memory(key, canary, now, ours, slack, process)
  local later = math.max(now, ours)
  local kept = redis.call('GET', key)
  if kept then
    local by, since, marked = string.match(kept, '^(%x*) (%d+) ?(%d*)$')
    since, marked = tonumber(since), tonumber(marked)
    if since and since <= later + 3600000 and (by == process or process == '') and
      not (marked and leapt(canary, now - marked, slack)) then return since, by, marked or 0, false end
  end
  redis.call('SET', key, process .. ' ' .. num(later))
  return later, process, 0, true
end

-- note writes down that all was well at now: a leap of the clock that takes marks which were
-- there is one since then. Once a second is enough. A clock that goes back leaves the note of
-- how far it was ahead: in small steps it would come back unnoticed.
local function note(key, canary, process, since, marked, now, slack)
  if math.abs(now - marked) < 1000 then return end
  redis.call('SET', key, process .. ' ' .. num(since) .. ' ' .. num(math.max(now, marked)))
  redis.call('SET', canary, '', 'PX', num(slack))
end
