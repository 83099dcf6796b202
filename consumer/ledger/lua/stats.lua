-- @flags no-writes
-- How many jobs are in each state (ended ones while their record is kept), the workers, bytes of jobs, blobs and images,
-- the images evicted, and the paused models.
local counts = {}
for _, state in ipairs(STATES) do counts[#counts + 1] = jobs_in(state) end
counts[#counts + 1] = call('ZCOUNT', P .. 'workers', '(' .. now, '+inf')
for _, bytes in ipairs({'jobs', 'blobs', 'images', 'evicted'}) do
  counts[#counts + 1] = call('HGET', P .. 'usage', bytes) or 0
end
local paused = call('SMEMBERS', P .. 'paused')
table.sort(paused)
counts[#counts + 1] = paused
return counts
