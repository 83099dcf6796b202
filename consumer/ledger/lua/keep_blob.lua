-- Prolongs a blob that is there. ARGV: blob id, ttl ms. Answers 1, or 0 when its bytes must be sent.
local key = P .. 'blob:' .. ARGV[1]
local left = call('PTTL', key)
if left == -2 then return 0 end
if left >= 0 and left < tonumber(ARGV[2]) then call('PEXPIRE', key, ARGV[2]) end
return 1
