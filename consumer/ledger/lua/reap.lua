-- What time brings about, at most `limit` transitions a call, so that no call holds up the others.
-- ARGV: limit, job ttl, image ttl, max events, first back-off, longest back-off, lease, most bytes of images or 0,
--       error of a lost worker, of a deadline
-- Answers {more 0|1, list of {id, model, event}}
local limit, job_ttl, image_ttl, max_events, first, longest, lease, max_images, lost_error, deadline_error = unpack(ARGV)
limit, lease, max_images = tonumber(limit), tonumber(lease), tonumber(max_images)
local done = {}

-- After a time in which nobody reaped, perhaps nobody could renew either: Redis was away. Then every lease stands for
-- as long again, so that who finished meanwhile can say so.
local last = tonumber(call('GET', P .. 'reaped') or now)
call('SET', P .. 'reaped', now)
if now - last > math.max(100, lease / 3) then
  for _, id in ipairs(call('ZRANGE', P .. 'leases', '(0', now + lease, 'BYSCORE')) do
    call('ZADD', P .. 'leases', now + lease, id)
  end
end

local function due(set)
  return call('ZRANGE', P .. set, '-inf', now, 'BYSCORE', 'LIMIT', 0, math.max(0, limit))
end
local function tell(id, job, event)
  done[#done + 1] = {id, job.model, event}
  limit = limit - 1
end

-- Deadlines first: a job past its deadline is not worth another attempt.
for _, id in ipairs(due('deadlines')) do
  local job = fields(id, 'state', 'model', 'attempt')
  if job.state == 'queued' or job.state == 'running' then
    tell(id, job, end_job(id, job.state, 'expired', deadline_error, job_ttl, image_ttl, max_events,
      't', 'expired', 'a', job.attempt))
  else
    call('ZREM', P .. 'deadlines', id)
  end
end

for _, id in ipairs(due('leases')) do
  local job = fields(id, 'state', 'model', 'attempt', 'worker', 'cancel', 'used', 'max', 'lost', 'lane', 'batch', 'score',
    'alone')
  if job.state ~= 'running' then
    call('ZREM', P .. 'leases', id)
  elseif job.cancel then
    tell(id, job, end_job(id, 'running', 'cancelled', false, job_ttl, image_ttl, max_events,
      't', 'cancelled', 'a', job.attempt))
  else
    local used, max = tonumber(job.used), tonumber(job.max)
    keep_attempt_error(id, job.attempt, job.worker, lost_error)
    local lost = call('HINCRBY', job_key(id), 'lost', 1)
    if lost >= 2 then
      job.alone = '1'
      call('HSET', job_key(id), 'alone', 1)
    end
    if used >= max then
      tell(id, job, end_job(id, 'running', 'dead', lost_error, job_ttl, image_ttl, max_events,
        't', 'dead', 'a', job.attempt, 'r', lost_error))
    else
      -- The first loss says nothing of the job.
      local delay = lost >= 2 and backoff(used, first, longest) or 0
      queue_again(id, job, delay)
      tell(id, job, log_event(id, max_events, 't', 'retried', 'a', job.attempt, 'r', lost_error, 'l', max - used,
        'b', delay))
    end
  end
end

limit = limit - wake_delayed(math.max(0, limit))

-- Records that have outlived their time: Redis drops the keys, the indexes are ours. A mark stays as long again, to tell
-- an expired job from one that never was.
for _, id in ipairs(due('retire')) do
  call('UNLINK', job_key(id), events_key(id))
  call('ZREM', P .. 'jobs', id)
  for _, state in ipairs({'completed', 'failed', 'cancelled', 'expired', 'dead'}) do
    call('ZREM', P .. 'jobs:' .. state, id)
  end
  call('SET', P .. 'retired:' .. id, 1, 'PX', job_ttl)
  call('ZREM', P .. 'retire', id)
  limit = limit - 1
end

-- Images whose time is over, then, above the budget, those of the jobs that ended first.
for _, id in ipairs(due('images')) do
  uncount_images(id)
  limit = limit - 1
end
while max_images > 0 and limit > 0 and tonumber(call('HGET', P .. 'usage', 'images') or 0) > max_images do
  local id = call('ZRANGE', P .. 'images', 0, 0)[1]
  if not id then break end
  local keys = image_keys(id)
  if #keys > 0 then call('UNLINK', unpack(keys)) end
  local _, count = uncount_images(id)
  count_bytes('evicted', count)
  limit = limit - 1
end
return {limit <= 0 and 1 or 0, done}
