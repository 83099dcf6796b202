-- @flags allow-oom
-- A worker takes what it has room for: the first job over all its lanes, then more of the same batch key.
-- A claim whose answer was lost is repeated with its token, and gives what it gave then, if it gave anything. One that finds
-- nothing stands for `wait` ms, 0 for not at all, and is repeated to look again: see grant().
-- ARGV: worker, room, batch key or '', same_batch 0|1, lease ms, image ttl ms, token, repeated 0|1, wait ms, models...
-- Answers a list of {id, attempt, request, batch key, entry id of its start}, and where it has any of them
-- alone 0|1, deadline or '', {n, description, ...}
local worker, room, wanted, same_batch, lease, image_ttl, token, repeated, wait = unpack(ARGV, 1, 9)
room, wait = tonumber(room), tonumber(wait)
local until_text = text(now + lease)
local taken, scores, seen = {}, {}, {}
wake_delayed(16)

-- Jobs that name their worker wait in lanes of their own.
local lanes, model_of, paused, models = {}, {}, {}, {}
for _, model in ipairs(call('SMEMBERS', P .. 'paused')) do paused[model] = true end
for i = 10, #ARGV do
  if not paused[ARGV[i]] then
    models[#models + 1] = ARGV[i]
    for _, lane in ipairs({ARGV[i], '@' .. worker .. ':' .. ARGV[i]}) do
      lanes[#lanes + 1] = lane
      model_of[lane] = ARGV[i]
    end
  end
end

-- Between two tenants' jobs of the same tag, the older one.
local function earlier(a, b) return a.score < b.score or (a.score == b.score and a.id < b.id) end

-- The first ones over all lanes that have not been looked at, at most `count` of each, in their order; `name` gives an index
-- of a lane. Their scores only where there is something to compare them with: Redis prints a score slowly.
local function first(count, name, with_scores)
  local heads, busy = {}, {}
  for _, lane in ipairs(lanes) do
    heads[lane] = call('ZRANGE', P .. name(lane), 0, count + #seen - 1)
    if #heads[lane] > 0 then busy[#busy + 1] = lane end
  end
  local found = {}
  for _, lane in ipairs(busy) do
    local scores = (with_scores or #busy > 1) and call('ZMSCORE', P .. name(lane), unpack(heads[lane]))
    for i, id in ipairs(heads[lane]) do
      if not seen[id] then found[#found + 1] = {id = id, score = scores and tonumber(scores[i]), lane = lane} end
    end
  end
  if #busy > 1 then table.sort(found, earlier) end
  return found
end

-- What the worker is told of a job that it has taken.
local function answer(id, attempt, job, entry, images)
  local row = {id, attempt, job.request, job.batch, entry}
  if job.alone or job.deadline or #images > 0 then
    row[6], row[7], row[8] = job.alone and 1 or 0, job.deadline or '', images
  end
  taken[#taken + 1] = row
end

-- Images of earlier attempts count only while their bytes are there.
local function images_done(id)
  local done = {}
  for _, image in ipairs(images_of(id)) do
    if call('PEXPIRE', image[2], image_ttl) == 1 then
      done[#done + 1] = image[1]
      done[#done + 1] = image[3]
    else
      call('HDEL', job_key(id), 'image:' .. image[1])
    end
  end
  return done
end

-- A claim that still stands has been given nothing.
local this = token ~= '' and standing_claim(worker, token, lease, ARGV, 10)
if repeated == '1' and not stand_no_longer(this, models) then
  for _, id in ipairs(call('ZRANGE', P .. 'leases', 0, -1)) do
    local last = read_held(read_running(call('HGET', P .. 'running', id) or ''))
    if last.worker == worker and last.token == token then
      index('ZADD', 'leases', until_text, id)
      local job = fields(id, 'request', 'batch', 'alone', 'deadline')
      -- Nobody but the worker logs anything of a running job, so its start is the last entry.
      answer(id, last.attempt, job, call('XREVRANGE', events_key(id), '+', '-', 'COUNT', 1)[1][1], images_done(id))
    end
  end
  if #taken > 0 then return taken end
end

-- Takes the job, unless it has to be left to the reaper. Answers its record.
local function take(head)
  local id = head.id
  seen[id], seen[#seen + 1] = true, id
  local job = fields(id, 'state', 'request', 'batch', 'score', 'held', 'more', 'given')
  if job.more then
    local rare = fields(id, 'alone', 'deadline')
    job.alone, job.deadline = rare.alone, rare.deadline
  end
  index('ZREM', 'queue:' .. head.lane, id)
  index('ZREM', company_of(job, head.lane), id)
  -- What is past its deadline leaves the queue here and is ended by the reaper, who can tell it to the readers.
  if job.state or not job.given or (job.deadline and tonumber(job.deadline) <= now) then return job end
  local attempt, used = '1', '1'
  if job.held then
    local last = read_held(job)
    attempt, used = text(last.attempt + 1), text(last.used + 1)
  end
  local before = job.held
  job.model = model_of[head.lane]
  local start = begin_attempt(id, job, attempt, worker, token, used, lease)
  scores[#scores + 1] = tonumber(job.score)
  local entry = before and log_event(id, unpack(start)) or log_first(id, job.given, unpack(start))
  answer(id, attempt, job, entry, before and images_done(id) or {})
  return job
end

local key = wanted ~= '' and wanted
local function queue(lane) return 'queue:' .. lane end
local function batch(lane) return 'batch:' .. lane .. '|' .. key end
local function alone(lane) return 'alone:' .. lane end
-- Nobody joins a running batch before a job that must run alone and came first: it would wait for as long as others come.
local barrier = key and first(1, alone, true)[1]
local room_left = true
while room_left and #taken < room do
  local asked = (key or same_batch ~= '1') and room - #taken or 1
  local heads = first(asked, key and batch or queue, barrier)
  room_left = #heads >= asked
  for _, head in ipairs(heads) do
    if #taken >= room or (barrier and earlier(barrier, head)) then room_left = false; break end
    -- It runs alone: when something has been taken already it stays.
    if not key and #taken > 0 and call('HEXISTS', job_key(head.id), 'alone') == 1 then room_left = false; break end
    local job = take(head)
    if #taken > 0 then
      if job.alone then room_left = false; break end
      if not key and same_batch == '1' then key = job.batch; break end
    end
  end
end
note_served(scores)
if #taken == 0 and wait > 0 then stand(this, wait, models) end
return taken
