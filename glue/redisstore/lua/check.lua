-- Tells what New and Check need to know. After memory.lua.
-- KEYS: memory, canary
-- ARGV: our clock (Unix ms), slack of marks (ms)
local info = redis.pcall('INFO', 'memory')
local policy = type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)') or ''
local now = clock()
memory(KEYS[1], KEYS[2], now, tonumber(ARGV[1]), tonumber(ARGV[2]))
return { num(now), run(), policy }
