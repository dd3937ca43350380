-- Tells what New and Check need to know of the master of a shard. After memory.lua.
-- KEYS: memory, canary
-- ARGV: our clock (Unix ms), slack of marks (ms)
local function info(section)
  local text = redis.pcall('INFO', section)
  return type(text) == 'string' and text or ''
end

local now = clock()
-- A write that changes nothing, and is refused where writes are.
local wrote = redis.pcall('APPEND', KEYS[1], '')
local refused = type(wrote) == 'table' and wrote.err or ''
if refused == '' then
  local slack = tonumber(ARGV[2])
  local since, process, marked = memory(KEYS[1], KEYS[2], now, tonumber(ARGV[1]), slack)
  note(KEYS[1], KEYS[2], process, since, marked, now, slack)
end
local replication = info('replication')
return {
  num(now), run(), string.match(info('memory'), 'maxmemory_policy:([%w-]+)') or '', refused,
  string.match(replication, 'connected_slaves:(%d+)') or '',
  string.match(replication, 'min_slaves_good_slaves:(%d+)') or '', -- only with min-replicas-to-write
}
