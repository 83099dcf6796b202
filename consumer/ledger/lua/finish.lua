-- Attempts of one worker end. The same call again gives the same answers, also when the jobs have moved on since.
-- ARGV: worker, job ttl, image ttl, first back-off, longest back-off (all ms), then of each: id, attempt,
--       outcome (completed|failed|cancelled|released), event bytes, error bytes, retryable 0|1, seed or '', and the number
--       of images that come with the end and index and description of each
-- Answers for each {outcome, entry id, its fields} with outcome ended|requeued|dead|cancelled, without the fields when the
-- event was logged as it was given; or {'refused'} or {'no_image'}.
local worker, job_ttl, image_ttl, first, longest = unpack(ARGV, 1, 5)
local limits = {job = job_ttl, images = image_ttl}
local render_ms = {}

local function note_render_time(model, took)
  local mean = render_ms[model] or tonumber(call('HGET', P .. 'render_ms', model) or took)
  render_ms[model] = mean * 0.8 + took * 0.2
end

-- The attempt holds the job. Answers the outcome and the event.
local function end_attempt(id, job, attempt, outcome, event, error, retryable, seed)
  local told = attempt .. ' ' .. worker .. ' '
  local function to_end(answer, state, why, ...)
    return answer, end_job(id, job, state, limits, why, told .. answer, ...)
  end
  local function again(delay, left, ...)
    local event = {'t', 'retried', 'a', attempt, 'r', error, 'l', text(left), 'b', text(delay)}
    local entry = log_event(id, unpack(event))
    queue_again(id, delay, 'last', told .. 'requeued ' .. entry, ...)
    return 'requeued', {entry, event}
  end
  if outcome == 'failed' then keep_attempt_error(id, attempt, worker, error) end
  -- An acknowledged cancel wins over a result that came in after it.
  if outcome == 'cancelled' then return to_end('ended', 'cancelled', false, 't', 'cancelled', 'a', attempt) end
  if job.more and call('HEXISTS', job_key(id), 'cancel') == 1 then
    return to_end('cancelled', 'cancelled', false, 't', 'cancelled', 'a', attempt)
  end
  if outcome == 'completed' then
    note_render_time(job.model, now - job.started)
    if seed ~= '' then job.seed = seed end
    return to_end('ended', 'completed', false, 'e', event)
  end
  local attempts = fields(id, 'used', 'max')
  local used, max = tonumber(attempts.used), tonumber(attempts.max)
  if outcome == 'released' then return again(0, max - used + 1, 'used', used - 1) end
  if retryable == '0' then return to_end('ended', 'failed', error, 'e', event) end
  if used >= max then return to_end('dead', 'dead', error, 't', 'dead', 'a', attempt, 'r', error) end
  return again(backoff(used, first, longest), max - used)
end

local answers = {}
local at = 6
while ARGV[at] do
  local id, attempt, outcome, event, error, retryable, seed, images = unpack(ARGV, at, at + 7)
  local job = fields(id, 'worker', 'started', 'last', unpack(END_NEEDS))
  local last_attempt, last_worker, last_outcome, last_event
  if job.last then last_attempt, last_worker, last_outcome, last_event = string.match(job.last, '^(%S+) (%S+) (%S+) (%S+)$') end
  local answer
  if last_attempt == attempt and last_worker == worker then
    local logged = read_event(id, last_event)
    answer = {last_outcome, logged[1], logged[2]}
  elseif not holds(job, attempt, worker) then
    answer = {'refused'}
  else
    job.kept = keep_images(id, attempt, image_ttl, at + 8, tonumber(images))
    if not job.kept then answer = {'no_image'} end
  end
  if not answer then
    local said, logged = end_attempt(id, job, attempt, outcome, event, error, retryable, seed)
    answer = {said, logged[1], logged[2][1] ~= 'e' and logged[2] or nil}
  end
  answers[#answers + 1] = answer
  at = at + 8 + 2 * images
end
for model, mean in pairs(render_ms) do call('HSET', P .. 'render_ms', model, string.format('%.0f', mean)) end
return answers
