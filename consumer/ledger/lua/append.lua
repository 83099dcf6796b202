-- Events of running attempts of one worker. ARGV: worker, max events, then of each: id, attempt, event bytes, step as in the
-- record or ''
-- Answers the entry id of each, or '' where the attempt does not hold the job.
local worker, max_events = ARGV[1], ARGV[2]
local answers = {}
for at = 3, #ARGV, 4 do
  local id, attempt, event, step = unpack(ARGV, at, at + 3)
  local logged = ''
  if holds(fields(id, 'state', 'held'), attempt, worker) then
    if step ~= '' then call('HSET', job_key(id), 'step', step) end
    logged = call('XADD', events_key(id), 'MAXLEN', '~', max_events, '*', 'e', event)
  end
  answers[#answers + 1] = logged
end
return answers
