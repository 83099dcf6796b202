-- An attempt ends. The same call again gives the same answer, also when the job has moved on since.
-- ARGV: id, attempt, worker, outcome (completed|failed|cancelled|released), event bytes, error bytes, retryable 0|1,
--       seed or '', job ttl, image ttl, max events, first back-off, longest back-off (all ms), then index, description
--       and bytes of each image that comes with the end
-- Answers {outcome, event} with outcome ended|requeued|dead|cancelled, or {'refused'}
local id, attempt, worker, outcome, event, error, retryable, seed, job_ttl, image_ttl, max_events, first, longest =
  unpack(ARGV, 1, 13)
local job = fields(id, 'state', 'attempt', 'worker', 'cancel', 'used', 'max', 'lane', 'batch', 'score', 'alone',
  'model', 'started', 'last_attempt', 'last_worker', 'last_outcome', 'last_event')

if job.last_attempt == attempt and job.last_worker == worker then
  return {job.last_outcome, read_event(id, job.last_event)}
end
if not holds(job, attempt, worker) then return {'refused'} end
for i = 14, #ARGV, 3 do keep_image(id, ARGV[i], ARGV[i + 1], ARGV[i + 2], image_ttl) end

local function to_end(state, why, ...)
  return end_job(id, 'running', state, why, job_ttl, image_ttl, max_events, ...)
end

local answer, logged
local used, max = tonumber(job.used), tonumber(job.max)
if outcome == 'failed' then keep_attempt_error(id, attempt, worker, error) end

if job.cancel or outcome == 'cancelled' then
  -- An acknowledged cancel wins over a result that came in after it.
  answer = outcome == 'cancelled' and 'ended' or 'cancelled'
  logged = to_end('cancelled', false, 't', 'cancelled', 'a', attempt)
elseif outcome == 'completed' then
  if seed ~= '' then call('HSET', job_key(id), 'seed', seed) end
  local took = now - job.started
  local mean = tonumber(call('HGET', P .. 'render_ms', job.model) or took)
  call('HSET', P .. 'render_ms', job.model, string.format('%.0f', mean * 0.8 + took * 0.2))
  call('HDEL', job_key(id), 'error')
  answer, logged = 'ended', to_end('completed', false, 'e', event)
elseif outcome == 'released' then
  call('HSET', job_key(id), 'used', used - 1)
  queue_again(id, job, 0)
  answer = 'requeued'
  logged = log_event(id, max_events, 't', 'retried', 'a', attempt, 'r', error, 'l', max - used + 1, 'b', 0)
elseif retryable == '0' then
  answer, logged = 'ended', to_end('failed', error, 'e', event)
elseif used >= max then
  answer, logged = 'dead', to_end('dead', error, 't', 'dead', 'a', attempt, 'r', error)
else
  local delay = backoff(used, first, longest)
  queue_again(id, job, delay)
  answer = 'requeued'
  logged = log_event(id, max_events, 't', 'retried', 'a', attempt, 'r', error, 'l', max - used, 'b', delay)
end
call('HSET', job_key(id), 'last_attempt', attempt, 'last_worker', worker, 'last_outcome', answer, 'last_event', logged[1])
return {answer, logged}
