-- Somebody wants the job no more. ARGV: id, job ttl, image ttl, max events
-- Answers {'ended', event} | {'running', worker} | {'already', state} | {'unknown'} | {'expired'}
local id, job_ttl, image_ttl, max_events = unpack(ARGV)
local job = fields(id, 'state', 'worker')
if not job.state then return {why_missing(id)} end
if job.state == 'queued' then
  return {'ended', end_job(id, 'queued', 'cancelled', false, job_ttl, image_ttl, max_events, 't', 'cancelled', 'a', 0)}
end
if job.state == 'running' then
  call('HSET', job_key(id), 'cancel', 1)
  return {'running', job.worker}
end
return {'already', job.state}
