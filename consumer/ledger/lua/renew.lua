-- @flags allow-oom
-- The leases of one worker go on. ARGV: worker, lease ms, then id and attempt of each.
-- Answers one word per lease: 'held' | 'lost' | 'cancel' (held, and somebody cancelled the job)
local worker, lease = ARGV[1], ARGV[2]
local answers, values = {}, running_values(ARGV, 3, 2)
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  local answer = 'lost'
  if holds(values[id], ARGV[i + 1], worker) then
    index('ZADD', 'leases', text(now + lease), id)
    local cancelled = read_running(values[id]).more and call('HEXISTS', job_key(id), 'cancel') == 1
    answer = cancelled and 'cancel' or 'held'
  end
  answers[#answers + 1] = answer
end
return answers
