-- Tells what New and Check need to know. After memory.lua.
-- KEYS: memory
-- ARGV: our clock (Unix ms)
local info = redis.pcall('INFO', 'memory')
local policy = type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)') or ''
memory(KEYS[1], tonumber(ARGV[1]))
return { num(clock()), run(), policy }
