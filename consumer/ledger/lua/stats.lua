-- How many jobs are in each state (ended ones while their record is kept), and the workers.
local counts = {}
for _, state in ipairs({'queued', 'running', 'completed', 'failed', 'cancelled', 'expired', 'dead'}) do
  counts[#counts + 1] = call('ZCARD', P .. 'jobs:' .. state)
end
counts[#counts + 1] = call('ZCOUNT', P .. 'workers', '(' .. now, '+inf')
return counts
