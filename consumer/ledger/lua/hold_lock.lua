-- @flags allow-oom
-- Takes or prolongs a lock. ARGV: name, holder, ttl ms. Answers 1 when it is the holder's.
local key = P .. 'lock:' .. ARGV[1]
local holder = call('GET', key)
if holder and holder ~= ARGV[2] then return 0 end
call('SET', key, ARGV[2], 'PX', ARGV[3])
return 1
