-- Events of running attempts of one worker. ARGV: worker, max events, then of each: id, attempt, event bytes, step or '', total
-- Answers the entry id of each, or '' where the attempt does not hold the job.
local worker, max_events = ARGV[1], ARGV[2]
local answers = {}
for at = 3, #ARGV, 5 do
  local id, attempt, event, step, total = unpack(ARGV, at, at + 4)
  local job = fields(id, 'state', 'attempt', 'worker', 'total')
  local logged = ''
  if holds(job, attempt, worker) then
    if step ~= '' then
      if total == job.total then call('HSET', job_key(id), 'step', step) else call('HSET', job_key(id), 'step', step, 'total', total) end
    end
    logged = call('XADD', events_key(id), 'MAXLEN', '~', max_events, '*', 'e', event)
  end
  answers[#answers + 1] = logged
end
return answers
