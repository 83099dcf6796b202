-- @flags allow-oom
-- Attempts of one worker end. The same call again gives the same answers, also when the jobs have moved on since.
-- ARGV: worker, job ttl, image ttl, first back-off, longest back-off (all ms), then of each: id, attempt,
--       outcome (completed|failed|hopeless|cancelled|released; a hopeless job failed and gets no other attempt), event
--       bytes, the seed of what completed or the bytes of what went wrong, and the number of images that come with the end
--       and index and description of each
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
local function end_attempt(id, job, attempt, outcome, event, about)
  local function to_end(answer, state, why, ...)
    return answer, end_job(id, job, state, limits, why, answer, ...)
  end
  local function again(delay, left, was_held)
    local event = {'t', 'retried', 'a', attempt, 'r', about, 'l', text(left), 'b', text(delay)}
    local entry = log_event(id, unpack(event))
    queue_again(id, delay, was_held .. ' requeued ' .. entry)
    return 'requeued', {entry, event}
  end
  if outcome == 'failed' or outcome == 'hopeless' then keep_attempt_error(id, attempt, worker, about) end
  -- An acknowledged cancel wins over a result that came in after it.
  if outcome == 'cancelled' then return to_end('ended', 'cancelled', false, 't', 'cancelled', 'a', attempt) end
  if job.more and call('HEXISTS', job_key(id), 'cancel') == 1 then
    return to_end('cancelled', 'cancelled', false, 't', 'cancelled', 'a', attempt)
  end
  local last = read_held(job)
  if outcome == 'completed' then
    note_render_time(job.model, now - last.started)
    job.seed = about
    return to_end('ended', 'completed', false, 'e', event)
  end
  if outcome == 'hopeless' then return to_end('ended', 'failed', about, 'e', event) end
  local used, max = last.used, read_given(job).max
  if outcome == 'released' then
    return again(0, max - used + 1, held(attempt, worker, last.token, text(used - 1), text(last.started)))
  end
  if used >= max then return to_end('dead', 'dead', about, 't', 'dead', 'a', attempt, 'r', about) end
  return again(backoff(used, first, longest), max - used, job.held)
end

-- The attempt does not hold the job. Answers what it was told when it ended, if it is the last one that did.
local function told_before(id, attempt)
  local last = call('HGET', job_key(id), 'held') or ''
  local last_attempt, last_worker, outcome, entry = string.match(last, '^(%d+) (%S*) %S* %d+ %d* (%S+) (%S+)$')
  if last_attempt ~= attempt or last_worker ~= worker then return {'refused'} end
  return {outcome, unpack(read_event(id, entry))}
end

-- Where each one's words begin, and what is known of all of them at once.
local places, ids = {}, {}
do
  local at = 6
  while ARGV[at] do
    places[#places + 1] = at
    ids[#ids + 1] = ARGV[at]
    at = at + 6 + 2 * ARGV[at + 5]
  end
end
local values, steps = {}, {}
if #ids > 0 then
  local found, done = call('HMGET', P .. 'running', unpack(ids)), call('HMGET', P .. 'steps', unpack(ids))
  for i, id in ipairs(ids) do values[id], steps[id] = found[i], done[i] end
end

local answers = {}
for i, at in ipairs(places) do
  local id, attempt, outcome, event, about, images = unpack(ARGV, at, at + 5)
  local job, answer
  if not holds(values[id], attempt, worker) then
    answer = told_before(id, attempt)
  else
    job = read_running(values[id])
    job.step = steps[id]
    job.kept = keep_images(id, attempt, image_ttl, ARGV, at + 6, tonumber(images))
    if not job.kept then answer = {'no_image'} end
  end
  if not answer then
    local said, logged = end_attempt(id, job, attempt, outcome, event, about)
    answer = {said, logged[1], logged[2][1] ~= 'e' and logged[2] or nil}
    values[id] = false
  end
  answers[i] = answer
end
for model, mean in pairs(render_ms) do call('HSET', P .. 'render_ms', model, string.format('%.0f', mean)) end
return answers
