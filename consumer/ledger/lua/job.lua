-- What the transitions share: key names, the clock, the event log, the queue's order, the ends of a job. Put before every
-- script when it is loaded. Scripts take the key prefix as KEYS[1]; a Redis Cluster is not supported.
--
-- job:<id>           hash, the record (fields below, where they are written)
-- events:<id>        stream, the event log
-- image:<id>:<n>     encoded image; the record's field image:<n> describes it
-- jobs, jobs:<state> sorted sets of ids, all with score 0: in the order of the ids, which is that of admission
-- queue:<lane>       sorted set, what may be claimed; lane = model, or @worker:model for jobs that name their worker
-- batch:<lane>|<key> the same, only the jobs of one batch key
-- delayed, leases, deadlines, retire, images: sorted sets of ids by the time (ms) at which something is to happen
-- paused             set of models that nobody may claim
-- usage              hash of byte counts: jobs and blobs (of jobs that have not ended), images (of those that have)
-- blob_bytes, image_bytes: hashes, what each of them counts for, so that the same is taken off again
local P = KEYS[1]
local call = redis.call

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function job_key(id) return P .. 'job:' .. id end
local function events_key(id) return P .. 'events:' .. id end
local function queue_key(lane) return P .. 'queue:' .. lane end
local function batch_key(lane, key) return P .. 'batch:' .. lane .. '|' .. key end

-- The fields asked for as a table by name; absent ones are false.
local function fields(id, ...)
  local values = call('HMGET', job_key(id), ...)
  local job = {}
  for i, name in ipairs({...}) do job[name] = values[i] end
  return job
end

-- 'expired' when the record was there and has been retired, else 'unknown'.
local function why_missing(id)
  if call('ZSCORE', P .. 'retire', id) or call('EXISTS', P .. 'retired:' .. id) == 1 then return 'expired' end
  return 'unknown'
end

local function set_state(id, from, to)
  if from then call('ZREM', P .. 'jobs:' .. from, id) end
  call('ZADD', P .. 'jobs:' .. to, 0, id)
  call('HSET', job_key(id), 'state', to)
end

-- Appends to the event log and answers {entry id, fields}, as a reader of the log would get it: all text. The newest
-- entry is never trimmed, so an end stays.
local function log_event(id, max_events, ...)
  local texts = {...}
  for i, value in ipairs(texts) do
    if type(value) == 'number' then texts[i] = string.format('%.0f', value) end
  end
  return {call('XADD', events_key(id), 'MAXLEN', '~', max_events, '*', unpack(texts)), texts}
end
local function read_event(id, entry)
  return call('XRANGE', events_key(id), entry, entry)[1] or {entry, {}}
end

-- One image of the attempt that holds the job.
local function keep_image(id, index, description, bytes, ttl)
  call('SET', P .. 'image:' .. id .. ':' .. index, bytes, 'PX', ttl)
  call('HSET', job_key(id), 'image:' .. index, description)
end

-- Order inside a lane: priority first, then fair shares between tenants, then age. The share is start-time fair queueing:
-- a job's tag is one more than its tenant's last tag, or than the tag now being served if that is later. One tenant alone
-- gets plain first in, first out; one with 3 jobs comes between the first ones of another's 5,000.
-- score = (10 - priority) * 2^47 + tag stays below 2^52, so a double holds it exactly.
local function next_score(priority, tenant)
  local shares = P .. 'shares:' .. priority
  local served = tonumber(call('HGET', P .. 'served', priority) or 0)
  local last = tonumber(call('ZSCORE', shares, tenant) or 0)
  local tag = math.max(served, last) + 1
  call('ZADD', shares, tag, tenant)
  return string.format('%.0f', (10 - priority) * 2 ^ 47 + tag)
end
local function note_served(priority, score)
  local tag = tonumber(score) - (10 - priority) * 2 ^ 47
  if tag > tonumber(call('HGET', P .. 'served', priority) or 0) then
    call('HSET', P .. 'served', priority, string.format('%.0f', tag))
    -- A tenant whose last tag has been served starts level with everybody: nothing to remember.
    call('ZREMRANGEBYSCORE', P .. 'shares:' .. priority, '-inf', tag)
  end
end

local function enqueue(id, job)
  call('ZADD', queue_key(job.lane), job.score, id)
  -- Jobs that must run alone are not found by those who look for company.
  if not job.alone then call('ZADD', batch_key(job.lane, job.batch), job.score, id) end
end
local function dequeue(id, job)
  call('ZREM', queue_key(job.lane), id)
  call('ZREM', batch_key(job.lane, job.batch), id)
end

-- Puts a job back after an attempt, at its old place in the order, now or after `delay` ms.
local function queue_again(id, job, delay)
  set_state(id, 'running', 'queued')
  call('ZREM', P .. 'leases', id)
  call('HSET', job_key(id), 'step', 0)
  if delay > 0 then call('ZADD', P .. 'delayed', now + delay, id) else enqueue(id, job) end
end

-- Jobs whose back-off is over become claimable.
local function wake_delayed(limit)
  local due = call('ZRANGE', P .. 'delayed', '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    call('ZREM', P .. 'delayed', id)
    local job = fields(id, 'state', 'lane', 'batch', 'score', 'alone')
    if job.state == 'queued' then enqueue(id, job) end
  end
  return #due
end

local function backoff(used, first, most)
  return math.min(most, first * 2 ^ math.max(0, used - 1))
end

local function image_keys(id)
  local keys = {}
  for _, name in ipairs(call('HKEYS', job_key(id))) do
    if string.sub(name, 1, 6) == 'image:' then keys[#keys + 1] = P .. 'image:' .. id .. ':' .. string.sub(name, 7) end
  end
  return keys
end

local function count_bytes(what, bytes)
  if tonumber(bytes) ~= 0 then call('HINCRBY', P .. 'usage', what, bytes) end
end

-- The images of a job that ended count against the byte budget until `at`, when their keys expire by themselves.
local function count_images(id, ttl)
  local bytes, count = 0, 0
  for _, key in ipairs(image_keys(id)) do
    local size = call('STRLEN', key)
    if size > 0 then
      call('PEXPIRE', key, ttl)
      bytes, count = bytes + size, count + 1
    end
  end
  if count == 0 then return end
  call('ZADD', P .. 'images', now + ttl, id)
  call('HSET', P .. 'image_bytes', id, bytes .. ' ' .. count)
  count_bytes('images', bytes)
end
-- Takes them off again. Answers their bytes and number.
local function uncount_images(id)
  local bytes, count = string.match(call('HGET', P .. 'image_bytes', id) or '0 0', '^(%d+) (%d+)$')
  call('ZREM', P .. 'images', id)
  call('HDEL', P .. 'image_bytes', id)
  count_bytes('images', -tonumber(bytes))
  return tonumber(bytes), tonumber(count)
end

-- The blobs of a job are held while it lives, and as long as its record (it may be requeued) after its end.
local function each_blob(blobs, act)
  for blob in string.gmatch(blobs or '', '%S+') do act(P .. 'blob:' .. blob, P .. 'blob_users:' .. blob) end
end
local function hold_blobs(id, blobs)
  each_blob(blobs, function(blob, users)
    call('SADD', users, id)
    call('PERSIST', users)
    call('PERSIST', blob)
    local bytes = call('STRLEN', blob)
    if call('HSETNX', P .. 'blob_bytes', blob, bytes) == 1 then count_bytes('blobs', bytes) end
  end)
end
local function let_go_of_blobs(id, blobs, ttl)
  each_blob(blobs, function(blob, users)
    call('SREM', users, id)
    if call('SCARD', users) > 0 then return end
    call('PEXPIRE', blob, ttl)
    count_bytes('blobs', -(call('HGET', P .. 'blob_bytes', blob) or 0))
    call('HDEL', P .. 'blob_bytes', blob)
  end)
end
-- Whether so many bytes more are too many. A limit of 0 is none.
local function too_many_bytes(more, most)
  if tonumber(most) == 0 then return false end
  local used = call('HMGET', P .. 'usage', 'jobs', 'blobs')
  return (used[1] or 0) + (used[2] or 0) + more > tonumber(most)
end

-- The one way to an end: state, event, indexes, lifetimes. `error` is bytes or false. Answers the event.
local function end_job(id, from, to, error, job_ttl, image_ttl, max_events, ...)
  local job = fields(id, 'lane', 'batch', 'blobs', 'idempotency', 'bytes')
  dequeue(id, job)
  call('ZREM', P .. 'leases', id)
  call('ZREM', P .. 'delayed', id)
  call('ZREM', P .. 'deadlines', id)
  set_state(id, from, to)
  call('HSET', job_key(id), 'finished', now)
  if error then call('HSET', job_key(id), 'error', error) end
  local event = log_event(id, max_events, ...)
  call('PEXPIRE', job_key(id), job_ttl)
  call('PEXPIRE', events_key(id), job_ttl)
  if job.idempotency then call('PEXPIRE', job.idempotency, job_ttl) end
  count_images(id, image_ttl)
  count_bytes('jobs', -(job.bytes or 0))
  let_go_of_blobs(id, job.blobs, job_ttl)
  call('ZADD', P .. 'retire', now + job_ttl, id)
  return event
end

-- Whether this attempt holds the job. An expired lease that nobody has taken back yet still stands: until then no other
-- attempt can exist. The attempt number only ever grows, so an older attempt never passes for a newer one.
local function holds(job, attempt, worker)
  return job.state == 'running' and job.attempt == attempt and job.worker == worker
end

-- Keeps why an attempt ended: "<attempt> <worker> <at_ms>\n<error bytes>".
local function keep_attempt_error(id, attempt, worker, error)
  call('HSET', job_key(id), 'attempt_error:' .. attempt, attempt .. ' ' .. worker .. ' ' .. now .. '\n' .. error)
end

-- The answer of status and list: the record without the request, then what is not in it.
local function describe(id)
  local flat = call('HGETALL', job_key(id))
  if #flat == 0 then return false end
  local record, job = {}, {}
  for i = 1, #flat, 2 do
    job[flat[i]] = flat[i + 1]
    if flat[i] ~= 'request' then record[#record + 1] = flat[i]; record[#record + 1] = flat[i + 1] end
  end
  local position = job.state == 'queued' and call('ZRANK', queue_key(job.lane), id)
  local mean = call('HGET', P .. 'render_ms', job.model)
  return {id, record, position or -1, mean or '', now, math.max(1, call('ZCARD', P .. 'jobs:running'))}
end
