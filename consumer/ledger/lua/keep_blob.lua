-- Prolongs a blob that is there. ARGV: blob id, ttl ms, bytes, most bytes of waiting jobs
-- Answers 1, 0 when its bytes must be sent, or -1 when there is no room for them.
local key = P .. 'blob:' .. ARGV[1]
local left = call('PTTL', key)
if left == -2 then return too_many_bytes(tonumber(ARGV[3]), ARGV[4]) and -1 or 0 end
if left >= 0 and left < tonumber(ARGV[2]) then call('PEXPIRE', key, ARGV[2]) end
return 1
