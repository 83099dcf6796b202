-- The leases of one worker go on. ARGV: worker, lease ms, then id and attempt of each.
-- Answers one word per lease: 'held' | 'lost' | 'cancel' (held, and somebody cancelled the job)
local worker, lease = ARGV[1], ARGV[2]
local answers = {}
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  local job = fields(id, 'state', 'held', 'cancel')
  local answer = 'lost'
  if holds(job, ARGV[i + 1], worker) then
    index('ZADD', 'leases', now + lease, id)
    answer = job.cancel and 'cancel' or 'held'
  end
  answers[#answers + 1] = answer
end
return answers
