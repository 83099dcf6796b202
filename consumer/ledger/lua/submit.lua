-- Jobs come in, in their order, each accepted or refused by itself. Repeated with the same id one changes nothing and gets
-- the same answer. ARGV: most jobs, most bytes, then of each: id, request, batch key, model, `given` without its last two
-- words, and how many fields follow that few have, a name and a value each: priority, tenant, idempotency, digest, pinned,
-- deadline_after, blobs
-- A job that nothing waits before goes to a claim that stands, if there is one, and never enters the queue.
-- Answers for each {'accepted', id, position, 0, entry id, granted 0|1} | {'accepted', id, position, 1} | {'queue_full', 'jobs' or
-- 'bytes'} | {'conflict'} | {'no_blob', index}
local max_queued, max_bytes = unpack(ARGV, 1, 2)
local submitted = {}  -- {first argument, {fields that few have}} of each
do
  local at = 3
  while ARGV[at] do
    local rare = {}
    for i = at + 6, at + 4 + 2 * ARGV[at + 5], 2 do rare[ARGV[i]] = ARGV[i + 1] end
    submitted[#submitted + 1] = {at, rare}
    at = at + 6 + 2 * ARGV[at + 5]
  end
end
local queued  -- how many wait, when that has been asked for
-- Whether one of these ids may have been submitted before, be it in this call.
local perhaps_known = false
do
  local keys, here = {}, {}
  for i, job in ipairs(submitted) do
    local id = ARGV[job[1]]
    keys[i] = job_key(id)
    perhaps_known = perhaps_known or here[id]
    here[id] = true
  end
  perhaps_known = perhaps_known or call('EXISTS', unpack(keys)) > 0
end
local lanes = {}  -- by name: what the index holds (how many, and the last score), and the scores of this call's jobs

local function lane_now(lane)
  local known = lanes[lane]
  if not known then
    local last = call('ZRANGE', P .. 'queue:' .. lane, -1, -1, 'WITHSCORES')
    known = {count = last[1] and call('ZCARD', P .. 'queue:' .. lane) or 0, last = tonumber(last[2] or 0), here = {}, last_here = 0}
    lanes[lane] = known
  end
  return known
end
-- How many jobs of the lane come before this score.
local function before(lane, score_text)
  local known, score = lane_now(lane), tonumber(score_text)
  local count = score > known.last and known.count or call('ZCOUNT', P .. 'queue:' .. lane, '-inf', '(' .. score_text)
  if score > known.last_here then return count + #known.here end
  for _, other in ipairs(known.here) do
    if other < score then count = count + 1 end
  end
  return count
end
local function nothing_waits(lane)
  local known = lane_now(lane)
  return known.count == 0 and #known.here == 0
end
local function note_waiting(lane, score)
  local known = lane_now(lane)
  known.here[#known.here + 1] = score
  known.last_here = math.max(known.last_here, score)
end
local function position_of(id)
  local job = fields(id, 'model', 'pinned', 'score')
  return job.model and before(lane_of(job), job.score) or 0
end

local function submit(rare, id, request, batch, model, given)
  local idempotency, digest, blobs, deadline_after = rare.idempotency, rare.digest or '', rare.blobs, rare.deadline_after
  if idempotency then
    local known = call('GET', P .. idempotency)
    if known then
      local first, first_digest = string.match(known, '^(%S+) (.*)$')
      if first ~= id and call('EXISTS', job_key(first)) == 1 then
        if first_digest ~= digest then return {'conflict'} end
        return {'accepted', first, position_of(first), 1}
      end
    end
  end
  if perhaps_known and call('EXISTS', job_key(id)) == 1 then
    return {'accepted', id, position_of(id), 0, read_queued(call('HGET', job_key(id), 'given')) .. '-0'}
  end
  local bytes = #request
  if blobs then
    local index = 0
    for blob in string.gmatch(blobs, '%S+') do
      local key = P .. 'blob:' .. blob
      if call('EXISTS', key) == 0 then return {'no_blob', index} end
      if call('HEXISTS', P .. 'blob_bytes', key) == 0 then bytes = bytes + call('STRLEN', key) end
      index = index + 1
    end
  end

  local job = {model = model, pinned = rare.pinned, batch = batch, more = blobs or deadline_after or idempotency}
  local lane, priority, position = lane_of(job), tonumber(rare.priority or 0), 0
  local deadline = deadline_after and text(now + deadline_after)
  local worker, token, lease
  if nothing_waits(lane) and not job.pinned and not (blobs and too_many_bytes(bytes, max_bytes)) then
    worker, token, lease = grant(model, function()
      return id .. ' 1 ' .. now_text .. '-1 ' .. (deadline or '-') .. ' ' .. #batch .. '\n' .. batch .. request
    end)
  end
  if worker then
    job.score = first_score(priority)
  else
    queued = queued or jobs_in('queued')
    if queued >= tonumber(max_queued) then return {'queue_full', 'jobs'} end
    if too_many_bytes(bytes, max_bytes) then return {'queue_full', 'bytes'} end
    queued = queued + 1
    job.score = next_score(priority, rare.tenant or '')
    position = before(lane, job.score)
  end
  job.given = given .. ' ' .. now_text .. ' ' .. text(position)
  count_bytes('jobs', #request)

  local more = {}
  local function also(name, value) more[#more + 1] = name; more[#more + 1] = value end
  for _, name in ipairs({'priority', 'tenant', 'pinned', 'blobs'}) do
    if rare[name] then also(name, rare[name]) end
  end
  if deadline then
    also('deadline_after', deadline_after)
    also('deadline', deadline)
    index('ZADD', 'deadlines', deadline, id)
  end
  if job.more then also('more', 1) end
  if blobs then hold_blobs(id, blobs) end
  if idempotency then
    also('idempotency', P .. idempotency)
    call('SET', P .. idempotency, id .. ' ' .. digest)
  end
  call('HSET', job_key(id), 'request', request, 'batch', batch, 'score', job.score, 'model', model, 'given', job.given,
    unpack(more))
  note_life(id, 'queued')
  if worker then
    log_first(id, job.given, unpack(begin_attempt(id, job, '1', worker, token, '1', lease)))
  else
    note_waiting(lane, tonumber(job.score))
    enqueue(id, job)
  end
  return {'accepted', id, text(position), 0, now_text .. '-0', worker and 1 or 0}
end

local answers = {}
for i, job in ipairs(submitted) do answers[i] = submit(job[2], unpack(ARGV, job[1], job[1] + 4)) end
return answers
