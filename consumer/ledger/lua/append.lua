-- One event of a running attempt. ARGV: id, attempt, worker, event bytes, max events, step or '', total
-- Answers the entry id, or false when the attempt does not hold the job.
local id, attempt, worker, event, max_events, step, total = unpack(ARGV)
local job = fields(id, 'state', 'attempt', 'worker', 'total')
if not holds(job, attempt, worker) then return false end
if step ~= '' then
  if total == job.total then call('HSET', job_key(id), 'step', step) else call('HSET', job_key(id), 'step', step, 'total', total) end
end
return log_event(id, max_events, 'e', event)[1]
