-- @flags allow-oom
-- Events of running attempts of one worker. ARGV: worker, max events, then of each: id, attempt, event bytes, step as in the
-- hash steps or ''
-- Answers the entry id of each, or '' where the attempt does not hold the job.
local worker, max_events = ARGV[1], ARGV[2]
local answers, values = {}, running_values(ARGV, 3, 4)
for at = 3, #ARGV, 4 do
  local id, attempt, event, step = unpack(ARGV, at, at + 3)
  local logged = ''
  if holds(values[id], attempt, worker) then
    if step ~= '' then index('HSET', 'steps', id, step) end
    logged = call('XADD', events_key(id), 'MAXLEN', '~', max_events, '*', 'e', event)
  end
  answers[#answers + 1] = logged
end
return answers
