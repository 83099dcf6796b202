-- What the transitions share: key names, the clock, the event log, the queue's order, the ends of a job. All scripts are
-- functions of one library of Redis, which begins with this: so what is written here is made once and not at each call.
-- Each takes the key prefix as its key and the words in its first comment as ARGV; a Redis Cluster is not supported.
--
-- job:<id>           hash, the record (fields below, where they are written; what is 0 or empty is left out). Redis takes as
--                    long to hand over a field as to store it, so what belongs together is one field:
--                      given  "<most attempts> <bytes of the request> <steps> <seed or -> <submitted ms> <place in its lane>"
--                      held   "<attempt> <worker> <claim's token> <attempts used> <started ms>" of the last attempt that is
--                             over, and " <outcome> <entry id>" when its worker ended it; absent before the first; a requeue
--                             by hand forgets all but the attempt's number
--                      state  "<state> <finished ms>" of a job that has ended
--                      step   "<steps done> <of how many>" of one that has ended
--                      more   that the record has a field that few have: alone, blobs, cancel, deadline, idempotency, images
-- running            hash by id of the attempts that are not over: "<held> <more 0|1> <given> <model>", so that what a worker
--                    says of a whole batch is checked at once, and most of it without the records. Who is in it is running,
--                    whose record has a state has ended, all others are queued
-- steps              hash by id, the same as step, of what is running
-- events:<id>        stream, the event log but for its first event, queued: that one is in `given`, its number "<submitted>-0"
-- image:<id>:<n>:<a> encoded image, as attempt a made it; the record's field image:<n> begins with its a
-- jobs               sorted set of ids by how they ended, 0 before that, and so in the order of the ids inside a score, which
--                    is that of admission
-- queue:<lane>       sorted set, what may be claimed; lane = model, or @worker:model for jobs that name their worker
-- batch:<lane>|<key> the same, only the jobs of one batch key
-- alone:<lane>       the same, only those that must run alone, which are in no batch
-- delayed, leases, deadlines, images: sorted sets of ids by the time (ms) at which something is to happen; leases has all
--                    that is running
-- ended              list of "<finished ms> <id>" in the order of the ends, each until its record is to go
-- retired            sorted set of ids whose record is gone, by the time at which that is forgotten too
-- paused             set of models that nobody may claim
-- standing:<model>   sorted set of the claims that found nothing and wait, "<worker> <token> <lease ms> <its models>", by the
--                    time until which they do
-- usage              hash of byte counts: jobs and blobs (of jobs that have not ended), images (of those that have)
-- blob_bytes, image_bytes: hashes, what each of them counts for, so that the same is taken off again
-- Redis prints a number slowly: what many commands are given is made a text once.
local function text(number) return string.format('%d', number) end

-- Of the call that runs: the prefix of its keys, and its time in milliseconds. There is no redis.call before one runs.
local call, P, now, now_text

local STATES = {'queued', 'running', 'completed', 'failed', 'cancelled', 'expired', 'dead'}
local ALIVE, ENDS = '0', {'1', '2', '3', '4', '5'}
local state_number = {queued = ALIVE, running = ALIVE, completed = '1', failed = '2', cancelled = '3', expired = '4', dead = '5'}

local function job_key(id) return P .. 'job:' .. id end
local function events_key(id) return P .. 'events:' .. id end
local function image_key(id, index, attempt) return P .. 'image:' .. id .. ':' .. index .. ':' .. attempt end

-- Records are written at once. Indexes are written when the script ends, each of them once, however many jobs it
-- concerns: a script that has to read what it has just changed in one calls write_indexes() before.
local unwritten, in_order, counted, usage, last_tags
local function start_indexes() unwritten, in_order, counted, usage, last_tags = {ZADD = {}, ZREM = {}, RPUSH = {}, HSET = {}, HDEL = {}}, {}, {}, {}, {} end
local function index(command, name, first, second)
  local words = unwritten[command][name]
  if not words then
    words = {command, P .. name}
    unwritten[command][name] = words
    in_order[#in_order + 1] = words
  end
  words[#words + 1] = first
  words[#words + 1] = second
end
local function count_bytes(what, bytes) counted[what] = (counted[what] or 0) + bytes end
local function bytes_counted(what)
  usage[what] = usage[what] or call('HGET', P .. 'usage', what) or 0
  return usage[what] + (counted[what] or 0)
end
local function write_indexes()
  for _, last in pairs(last_tags) do index('ZADD', 'shares:' .. last.priority, last.tag, last.tenant) end
  for _, words in ipairs(in_order) do call(unpack(words)) end
  for what, bytes in pairs(counted) do
    if bytes ~= 0 then call('HINCRBY', P .. 'usage', what, bytes) end
  end
  start_indexes()
end

-- The fields asked for as a table by name; absent ones are false.
local function fields(id, ...)
  local names = {...}
  local values = call('HMGET', job_key(id), ...)
  local job = {}
  for i = 1, #names do job[names[i]] = values[i] end
  return job
end

local function read_given(job)
  local max, bytes, seed = string.match(job.given, '^(%d+) (%d+) %d+ (%S+)')
  return {max = tonumber(max), bytes = tonumber(bytes), seed = seed ~= '-' and seed}
end
local function held(attempt, worker, token, used, started)
  return attempt .. ' ' .. worker .. ' ' .. token .. ' ' .. used .. ' ' .. started
end
local function read_held(job)
  local attempt, worker, token, used, started = string.match(job.held or '0   0 ', '^(%d+) (%S*) (%S*) (%d+) (%d*)')
  return {attempt = attempt, worker = worker, token = token, used = tonumber(used), started = tonumber(started)}
end

-- An attempt that is not over, as the hash `running` has it, and back.
local function to_running(job) return job.held .. ' ' .. (job.more and '1 ' or '0 ') .. job.given .. ' ' .. job.model end
local function read_running(value)
  local job = {state = 'running'}
  local more
  job.held, more, job.given, job.model =
    string.match(value, '^(%d+ %S* %S* %d+ %d+) ([01]) (%d+ %d+ %d+ %S+ %d+ %d+) (.*)$')
  job.more = more == '1'
  return job
end
-- Whether this attempt holds the job of which `running` has this value, or false. An expired lease that nobody has taken
-- back yet still stands: until then no other attempt can exist. The attempt number only ever grows, so an older attempt
-- never passes for a newer one.
local function holds(value, attempt, worker)
  local name = attempt .. ' ' .. worker .. ' '
  return value and string.sub(value, 1, #name) == name
end
-- The values of `running` by id, false where there is none; the ids are every `stride`th of the words from `from` on.
local function running_values(words, from, stride)
  local ids, values = {}, {}
  for i = from, #words, stride do ids[#ids + 1] = words[i] end
  if #ids == 0 then return values end
  for i, value in ipairs(call('HMGET', P .. 'running', unpack(ids))) do values[ids[i]] = value end
  return values
end
-- A job wherever it is in its life: state, held, given, model, more, and other fields of the record that are asked for.
-- Without a state there is no such job.
local function read_job(id, ...)
  local value = call('HGET', P .. 'running', id)
  local job = fields(id, 'state', 'held', 'given', 'model', 'more', ...)
  if not value then
    job.state = job.state and string.match(job.state, '^%S+') or job.given and 'queued'
    return job
  end
  for name, known in pairs(read_running(value)) do job[name] = known end
  return job
end
-- The record of a running job has got one of the fields that few have.
local function note_more(id, job)
  if job.more then return end
  job.more = true
  call('HSET', P .. 'running', id, to_running(job))
end

-- 'expired' when the record was there and has been retired, else 'unknown'.
local function why_missing(id)
  return call('ZSCORE', P .. 'retired', id) and 'expired' or 'unknown'
end

-- The index of states is told of coming to life and of ends alone.
local function note_life(id, state) index('ZADD', 'jobs', state_number[state], id) end
local function jobs_in(state)
  if state == 'running' then return call('ZCARD', P .. 'leases') end
  local count = call('ZCOUNT', P .. 'jobs', state_number[state], state_number[state])
  return state == 'queued' and count - jobs_in('running') or count
end

-- Appends to the event log and answers the entry's id. Only progress comes often enough to be trimmed: see append.lua.
local function log_event(id, ...) return call('XADD', events_key(id), '*', ...) end
-- The number and place of the first event, which is in no stream.
local function read_queued(given) return string.match(given, ' (%d+) (%d+)$') end
-- The first entry of the stream: after the event that is not in it, be it of the same millisecond or the clock set back.
local function log_first(id, given, ...)
  local submitted = tonumber((read_queued(given)))
  return call('XADD', events_key(id), text(math.max(now, submitted)) .. '-1', ...)
end
local function read_event(id, entry)
  return call('XRANGE', events_key(id), entry, entry)[1] or {entry, {}}
end

-- The images of a record, as a list of {index, key, description}.
local function images_of(id)
  local names, images = {}, {}
  for _, name in ipairs(call('HKEYS', job_key(id))) do
    if string.sub(name, 1, 6) == 'image:' then names[#names + 1] = name end
  end
  if #names == 0 then return images end
  for i, description in ipairs(call('HMGET', job_key(id), unpack(names))) do
    local number = string.sub(names[i], 7)
    images[i] = {number, image_key(id, number, string.match(description, '^%d+')), description}
  end
  return images
end
-- Images of the attempt that holds the job. Their bytes have been sent ahead and go by themselves unless they are kept
-- here. `words` from `from` on: index and description of each. Answers {bytes, number}, or false when the bytes of one are
-- not there: Redis had no room for them.
local function keep_images(id, attempt, ttl, words, from, count)
  if count == 0 then return {0, 0} end
  local bytes, described = 0, {'images', 1, 'more', 1}
  for i = from, from + 2 * count - 1, 2 do
    local key = image_key(id, words[i], attempt)
    if call('PEXPIRE', key, ttl) == 0 then return false end
    bytes = bytes + call('STRLEN', key)
    described[#described + 1] = 'image:' .. words[i]
    described[#described + 1] = attempt .. ' ' .. words[i + 1]
  end
  call('HSET', job_key(id), unpack(described))
  return {bytes, count}
end

-- Order inside a lane: priority first, then fair shares between tenants, then age. The share is start-time fair queueing:
-- a job's tag is one more than its tenant's last tag, or than the tag now being served if that is later. One tenant alone
-- gets plain first in, first out; one with 3 jobs comes between the first ones of another's 5,000.
-- score = (10 - priority) * 2^47 + tag stays below 2^52, so a double holds it exactly.
local function score_of(priority, tag) return text((10 - priority) * 2 ^ 47 + tag) end
local function next_score(priority, tenant)
  local known = priority .. ' ' .. tenant
  local last = last_tags[known]
  if not last then
    local served = tonumber(call('HGET', P .. 'served', priority) or 0)
    local tag = math.max(served, tonumber(call('ZSCORE', P .. 'shares:' .. priority, tenant) or 0))
    last = {priority = priority, tenant = tenant, tag = tag}
    last_tags[known] = last
  end
  last.tag = last.tag + 1
  return score_of(priority, last.tag)
end
-- Of a job that was given away at once: nobody was waiting then, so if it comes back it is before all who came since.
local function first_score(priority) return score_of(priority, 0) end
local function note_served(scores)
  local tags = {}
  for _, score in ipairs(scores) do
    local priority = 10 - math.floor(score / 2 ^ 47)
    tags[priority] = math.max(tags[priority] or 0, score % 2 ^ 47)
  end
  for priority, tag in pairs(tags) do
    if tag > tonumber(call('HGET', P .. 'served', priority) or 0) then
      call('HSET', P .. 'served', priority, text(tag))
      -- A tenant whose last tag has been served starts level with everybody: nothing to remember.
      call('ZREMRANGEBYSCORE', P .. 'shares:' .. priority, '-inf', tag)
    end
  end
end

-- Begins an attempt. Answers the fields of its start, for the log.
local function begin_attempt(id, job, attempt, worker, token, used, lease)
  job.held = held(attempt, worker, token, used, now_text)
  index('HSET', 'running', id, to_running(job))
  index('ZADD', 'leases', text(now + lease), id)
  return {'s', attempt .. ' ' .. worker}
end

-- A job's place in the queue, and the fields of the record that it depends on.
local PLACE_NEEDS = {'model', 'pinned', 'batch', 'alone', 'score'}
local function lane_of(job) return job.pinned and '@' .. job.pinned .. ':' .. job.model or job.model end
local function company_of(job, lane)
  -- Jobs that must run alone are not found by those who look for company.
  return job.alone and 'alone:' .. lane or 'batch:' .. lane .. '|' .. (job.batch or '')
end
local function enqueue(id, job)
  local lane = lane_of(job)
  index('ZADD', 'queue:' .. lane, job.score, id)
  index('ZADD', company_of(job, lane), job.score, id)
end
local function dequeue(id, job)
  local lane = lane_of(job)
  index('ZREM', 'queue:' .. lane, id)
  index('ZREM', company_of(job, lane), id)
end

-- Nobody runs it any more.
local function let_go(id)
  index('ZREM', 'leases', id)
  index('HDEL', 'running', id)
  index('HDEL', 'steps', id)
end
-- Puts a job back after an attempt, of which `held` is kept, at its old place in the order, now or after `delay` ms.
local function queue_again(id, delay, held)
  call('HSET', job_key(id), 'held', held)
  let_go(id)
  if delay > 0 then index('ZADD', 'delayed', now + delay, id) else enqueue(id, fields(id, unpack(PLACE_NEEDS))) end
end

-- Jobs whose back-off is over become claimable.
local function wake_delayed(limit)
  local due = call('ZRANGE', P .. 'delayed', '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
  for _, id in ipairs(due) do
    index('ZREM', 'delayed', id)
    local job = fields(id, 'state', unpack(PLACE_NEEDS))
    if job.model and not job.state then enqueue(id, job) end
  end
  if #due > 0 then write_indexes() end
  return #due
end

local function backoff(used, first, most)
  return math.min(most, first * 2 ^ math.max(0, used - 1))
end

-- The images of a job that ended count against the byte budget until `ttl` has passed, when their keys expire by
-- themselves.
local function note_images(id, ttl, bytes, count)
  index('ZADD', 'images', text(now + ttl), id)
  call('HSET', P .. 'image_bytes', id, text(bytes) .. ' ' .. text(count))
  count_bytes('images', bytes)
end
local function count_images(id, ttl)
  local bytes, count = 0, 0
  for _, image in ipairs(images_of(id)) do
    local size = call('STRLEN', image[2])
    if size > 0 then
      call('PEXPIRE', image[2], ttl)
      bytes, count = bytes + size, count + 1
    end
  end
  if count > 0 then note_images(id, ttl, bytes, count) end
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
  if not usage.jobs then
    local known = call('HMGET', P .. 'usage', 'jobs', 'blobs')
    usage.jobs, usage.blobs = known[1] or 0, known[2] or 0
  end
  return bytes_counted('jobs') + bytes_counted('blobs') + more > tonumber(most)
end

-- The one way to an end: event, record, indexes, lifetimes. `job` is what read_job() or read_running() gives, `step` beside it
-- where that is known already; `limits` are the job's and its images' time to live; `error` is bytes or false; `outcome` is
-- what its worker is told, or false; then the event, all text. Answers the event as a reader of the log gets it.
local function end_job(id, job, state, limits, error, outcome, ...)
  local also = {}
  local function with(name, value) also[#also + 1] = name; also[#also + 1] = value end
  local entry = job.held and log_event(id, ...) or log_first(id, job.given, ...)
  if job.state == 'running' then
    let_go(id)
    local step = job.step
    if step == nil then step = call('HGET', P .. 'steps', id) end
    if step then with('step', step) end
    with('held', outcome and job.held .. ' ' .. outcome .. ' ' .. entry or job.held)
  else
    dequeue(id, fields(id, unpack(PLACE_NEEDS)))
    index('ZREM', 'delayed', id)
  end
  if error then with('error', error) end
  local given = read_given(job)
  if job.seed and not given.seed then with('seed', job.seed) end
  call('HSET', job_key(id), 'state', state .. ' ' .. now_text, unpack(also))
  note_life(id, state)
  count_bytes('jobs', -given.bytes)
  local rare = job.more and fields(id, 'deadline', 'idempotency', 'blobs', 'images')
  if rare and rare.images then
    count_images(id, limits.images)
  elseif job.kept and job.kept[2] > 0 then
    note_images(id, limits.images, unpack(job.kept))  -- all it has came with its end
  end
  if rare then
    if rare.deadline then index('ZREM', 'deadlines', id) end
    if rare.idempotency then call('PEXPIRE', rare.idempotency, limits.job) end
    let_go_of_blobs(id, rare.blobs, limits.job)
  end
  index('RPUSH', 'ended', now_text .. ' ' .. id)
  return {entry, {...}}
end

-- Keeps why an attempt ended: "<attempt> <worker> <at_ms>\n<error bytes>".
local function keep_attempt_error(id, attempt, worker, error)
  call('HSET', job_key(id), 'attempt_error:' .. attempt, attempt .. ' ' .. worker .. ' ' .. now .. '\n' .. error)
end

-- The answer of status and list: the record without the request, then what is not in it. Of two values of one field the
-- later one counts.
local function describe(id)
  local flat = call('HGETALL', job_key(id))
  if #flat == 0 then return false end
  local record, job = {}, {}
  local function tell(name, value) record[#record + 1] = name; record[#record + 1] = value; job[name] = value end
  for i = 1, #flat, 2 do
    if flat[i] ~= 'request' then tell(flat[i], flat[i + 1]) end
  end
  local value = call('HGET', P .. 'running', id)
  if value then
    tell('state', 'running')
    tell('held', read_running(value).held)
    tell('step', call('HGET', P .. 'steps', id) or '0')
  elseif not job.state then
    tell('state', 'queued')
  end
  local position = job.state == 'queued' and call('ZRANK', P .. 'queue:' .. lane_of(job), id)
  local mean = call('HGET', P .. 'render_ms', job.model)
  return {id, record, position or -1, mean or '', now, math.max(1, jobs_in('running'))}
end

-- Makes a script a function of the library. Whatever an earlier call left when it failed half way is forgotten.
local function register(name, flags, run)
  local function callback(keys, words)
    call, P = redis.call, keys[1]
    local time = call('TIME')
    now = time[1] * 1000 + math.floor(time[2] / 1000)
    now_text = text(now)
    start_indexes()
    local answer = run(words)
    write_indexes()
    return answer
  end
  redis.register_function{function_name = name, callback = callback, flags = flags}
end
