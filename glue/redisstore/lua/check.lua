-- Tells what New and Check need to know of the master of a shard. After memory.lua.
-- KEYS: memory, canary
-- ARGV: our clock (Unix ms), slack of marks (ms)
local now, process = clock(), run()
-- A write that changes nothing, and is refused where writes are.
local wrote = redis.pcall('APPEND', KEYS[1], '')
local refused = type(wrote) == 'table' and wrote.err or ''
if refused == '' then
  local slack = tonumber(ARGV[2])
  local since, by, marked = memory(KEYS[1], KEYS[2], now, tonumber(ARGV[1]), slack, process)
  note(KEYS[1], KEYS[2], by, since, marked, now, slack)
end
local replication = info('replication')
return {
  num(now), process, string.match(info('memory'), 'maxmemory_policy:([%w-]+)') or '', refused,
  string.match(replication, 'connected_slaves:(%d+)') or '',
  string.match(replication, 'min_slaves_good_slaves:(%d+)') or '', -- only with min-replicas-to-write
}
