-- @flags allow-oom
-- What time brings about, at most `limit` transitions a call, so that no call holds up the others.
-- ARGV: limit, job ttl, image ttl, first back-off, longest back-off, lease, most bytes of images or 0,
--       error of a lost worker, of a deadline
-- Answers {more 0|1, list of {id, model, event}}
local limit, job_ttl, image_ttl, first, longest, lease, max_images, lost_error, deadline_error = unpack(ARGV)
limit, lease, max_images = tonumber(limit), tonumber(lease), tonumber(max_images)
local done = {}

-- After a time in which nobody reaped, perhaps nobody could renew either: Redis was away. Then every lease stands for
-- as long again, so that who finished meanwhile can say so.
local last = tonumber(call('GET', P .. 'reaped') or now)
call('SET', P .. 'reaped', now)
if now - last > math.max(100, lease / 3) then
  for _, id in ipairs(call('ZRANGE', P .. 'leases', '(0', now + lease, 'BYSCORE')) do
    index('ZADD', 'leases', now + lease, id)
  end
  write_indexes()
end

-- What earlier parts of this script did shows: their indexes are written.
local function due(set)
  write_indexes()
  return call('ZRANGE', P .. set, '-inf', now, 'BYSCORE', 'LIMIT', 0, math.max(0, limit))
end
local function tell(id, job, event)
  done[#done + 1] = {id, job.model, event}
  limit = limit - 1
end
local function to_end(id, job, state, error, ...)
  local limits = {job = job_ttl, images = image_ttl}
  tell(id, job, end_job(id, job, state, limits, error, false, ...))
end

-- Deadlines first: a job past its deadline is not worth another attempt.
for _, id in ipairs(due('deadlines')) do
  local job = read_job(id)
  if job.state == 'queued' or job.state == 'running' then
    to_end(id, job, 'expired', deadline_error, 't', 'expired', 'a', read_held(job).attempt)
  else
    index('ZREM', 'deadlines', id)
  end
end

for _, id in ipairs(due('leases')) do
  local job = read_job(id, 'cancel')
  local last = read_held(job)
  if job.state ~= 'running' then
    index('ZREM', 'leases', id)
  elseif job.cancel then
    to_end(id, job, 'cancelled', false, 't', 'cancelled', 'a', last.attempt)
  else
    local used, max = last.used, read_given(job).max
    keep_attempt_error(id, last.attempt, last.worker, lost_error)
    local lost = call('HINCRBY', job_key(id), 'lost', 1)
    if lost >= 2 then call('HSET', job_key(id), 'alone', 1, 'more', 1) end
    if used >= max then
      to_end(id, job, 'dead', lost_error, 't', 'dead', 'a', last.attempt, 'r', lost_error)
    else
      -- The first loss says nothing of the job.
      local delay = lost >= 2 and backoff(used, first, longest) or 0
      queue_again(id, delay, job.held)
      local event = {'t', 'retried', 'a', last.attempt, 'r', lost_error, 'l', text(max - used), 'b', text(delay)}
      tell(id, job, {log_event(id, unpack(event)), event})
    end
  end
end

write_indexes()
limit = limit - wake_delayed(math.max(0, limit))

-- Records that have outlived their time. That they were there is known as long again, to tell an expired job from one that
-- never was.
write_indexes()
local old = 0
for _, ended in ipairs(limit > 0 and call('LRANGE', P .. 'ended', 0, limit - 1) or {}) do
  local finished, id = string.match(ended, '^(%d+) (.*)$')
  if finished + job_ttl > now then break end
  old = old + 1
  -- Since it was requeued by hand it may be alive, or have ended anew.
  if string.match(call('HGET', job_key(id), 'state') or '', ' (%d+)$') == finished then
    call('UNLINK', job_key(id), events_key(id))
    index('ZREM', 'jobs', id)
    index('ZADD', 'retired', now + job_ttl, id)
  end
end
if old > 0 then call('LPOP', P .. 'ended', old) end
limit = limit - old
for _, id in ipairs(due('retired')) do index('ZREM', 'retired', id) end

-- Images whose time is over, then, above the budget, those of the jobs that ended first.
for _, id in ipairs(due('images')) do
  uncount_images(id)
  limit = limit - 1
end
while max_images > 0 and limit > 0 and bytes_counted('images') > max_images do
  local id = call('ZRANGE', P .. 'images', 0, 0)[1]
  if not id then break end
  local keys = {}
  for i, image in ipairs(images_of(id)) do keys[i] = image[2] end
  if #keys > 0 then call('UNLINK', unpack(keys)) end
  local _, count = uncount_images(id)
  count_bytes('evicted', count)
  limit = limit - 1
end
return {limit <= 0 and 1 or 0, done}
