-- A job comes in. Repeated with the same id it changes nothing and gives the same answer.
-- Answers {'accepted', id, position, 0, event} | {'accepted', id, position, 1} | {'queue_full', 'jobs' or 'bytes'} |
-- {'conflict'} | {'no_blob', index}
local id, request, digest, lane, batch, model, priority, tenant, idempotency, worker, max_attempts, deadline_after,
  total_steps, blobs, max_queued, max_bytes, max_events, seed = unpack(ARGV)

local function position_of(job_id)
  local job_lane = call('HGET', job_key(job_id), 'lane')
  return job_lane and call('ZRANK', queue_key(job_lane), job_id) or 0
end

if idempotency ~= '' then
  local known = call('GET', P .. idempotency)
  if known then
    local first, first_digest = string.match(known, '^(%S+) (.*)$')
    if first ~= id and call('EXISTS', job_key(first)) == 1 then
      if first_digest ~= digest then return {'conflict'} end
      return {'accepted', first, position_of(first), 1}
    end
  end
end
if call('EXISTS', job_key(id)) == 1 then
  return {'accepted', id, position_of(id), 0, call('XRANGE', events_key(id), '-', '+', 'COUNT', 1)[1]}
end
if call('ZCARD', P .. 'jobs:queued') >= tonumber(max_queued) then return {'queue_full', 'jobs'} end

local index, more = 0, #request
for blob in string.gmatch(blobs, '%S+') do
  local key = P .. 'blob:' .. blob
  if call('EXISTS', key) == 0 then return {'no_blob', index} end
  if call('HEXISTS', P .. 'blob_bytes', key) == 0 then more = more + call('STRLEN', key) end
  index = index + 1
end
if too_many_bytes(more, max_bytes) then return {'queue_full', 'bytes'} end
hold_blobs(id, blobs)
count_bytes('jobs', #request)

priority = tonumber(priority)
local job = {lane = lane, batch = batch, score = next_score(priority, tenant)}
call('HSET', job_key(id), 'state', 'queued', 'request', request, 'lane', lane, 'batch', batch, 'score', job.score,
  'model', model, 'priority', priority, 'attempt', 0, 'used', 0, 'lost', 0, 'max', max_attempts, 'submitted', now,
  'step', 0, 'total', total_steps, 'bytes', #request)
if tenant ~= '' then call('HSET', job_key(id), 'tenant', tenant) end
if worker ~= '' then call('HSET', job_key(id), 'pinned', worker) end
if blobs ~= '' then call('HSET', job_key(id), 'blobs', blobs) end
if seed ~= '' then call('HSET', job_key(id), 'seed', seed) end
if deadline_after ~= '' then
  call('HSET', job_key(id), 'deadline_after', deadline_after, 'deadline', now + deadline_after)
  call('ZADD', P .. 'deadlines', now + deadline_after, id)
end
if idempotency ~= '' then
  call('HSET', job_key(id), 'idempotency', P .. idempotency)
  call('SET', P .. idempotency, id .. ' ' .. digest)
end
call('ZADD', P .. 'jobs', 0, id)
call('ZADD', P .. 'jobs:queued', 0, id)
enqueue(id, job)
local position = call('ZRANK', queue_key(lane), id)
return {'accepted', id, position, 0, log_event(id, max_events, 't', 'queued', 'p', position)}
