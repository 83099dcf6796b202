-- @flags allow-oom
-- Somebody wants the job no more. ARGV: id, job ttl, image ttl
-- Answers {'ended', event} | {'running', worker} | {'already', state} | {'unknown'} | {'expired'}
local id, job_ttl, image_ttl = unpack(ARGV)
local job = read_job(id)
if not job.state then return {why_missing(id)} end
if job.state == 'queued' then
  local limits = {job = job_ttl, images = image_ttl}
  return {'ended', end_job(id, job, 'cancelled', limits, false, false, 't', 'cancelled', 'a', '0')}
end
if job.state == 'running' then
  call('HSET', job_key(id), 'cancel', 1, 'more', 1)
  note_more(id, job)
  return {'running', read_held(job).worker}
end
return {'already', job.state}
