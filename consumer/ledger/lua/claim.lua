-- A worker takes what it has room for: the first job over all its lanes, then more of the same batch key.
-- A claim whose answer was lost is repeated with its token, and gives what it gave then, if it gave anything.
-- ARGV: worker, room, batch key or '', same_batch 0|1, lease ms, image ttl ms, max events, token, repeated 0|1, models...
-- Answers a list of {id, attempt, request, batch key, alone, deadline, {n, description, ...}, event}
local worker, room, wanted, same_batch, lease, image_ttl, max_events, token, repeated = unpack(ARGV, 1, 9)
room = tonumber(room)
local taken = {}
wake_delayed(16)

-- Jobs that name their worker wait in lanes of their own.
local lanes, paused = {}, {}
for _, model in ipairs(call('SMEMBERS', P .. 'paused')) do paused[model] = true end
for i = 10, #ARGV do
  if not paused[ARGV[i]] then
    lanes[#lanes + 1] = ARGV[i]
    lanes[#lanes + 1] = '@' .. worker .. ':' .. ARGV[i]
  end
end

-- The lane whose first job comes first. With a batch key only jobs of that key are looked at.
local function first(key)
  local best, best_score, best_lane
  for _, lane in ipairs(lanes) do
    local head = call('ZRANGE', key and batch_key(lane, key) or queue_key(lane), 0, 0, 'WITHSCORES')
    -- Between two tenants' jobs of the same tag, the older one.
    local score = head[1] and tonumber(head[2])
    if score and (not best or score < best_score or (score == best_score and head[1] < best)) then
      best, best_score, best_lane = head[1], score, lane
    end
  end
  return best, best_lane
end

-- Images of earlier attempts count only while their bytes are there.
local function images_done(id)
  local done = {}
  for _, key in ipairs(image_keys(id)) do
    local n = string.match(key, '(%d+)$')
    if call('PEXPIRE', key, image_ttl) == 1 then
      done[#done + 1] = n
      done[#done + 1] = call('HGET', job_key(id), 'image:' .. n)
    else
      call('HDEL', job_key(id), 'image:' .. n)
    end
  end
  return done
end

if repeated == '1' then
  for _, id in ipairs(call('ZRANGE', P .. 'leases', 0, -1)) do
    local job = fields(id, 'state', 'worker', 'claim', 'attempt', 'request', 'batch', 'alone', 'deadline')
    if job.state == 'running' and job.worker == worker and job.claim == token then
      call('ZADD', P .. 'leases', now + lease, id)
      -- Nobody but the worker logs anything of a running job, so its start is the last entry.
      taken[#taken + 1] = {id, job.attempt, job.request, job.batch, job.alone and 1 or 0, job.deadline or '', images_done(id),
        call('XREVRANGE', events_key(id), '+', '-', 'COUNT', 1)[1]}
    end
  end
  if #taken > 0 then return taken end
end

local key = wanted ~= '' and wanted or nil
while #taken < room do
  local id, lane = first(key)
  if not id then break end
  local job = fields(id, 'state', 'request', 'lane', 'batch', 'alone', 'attempt', 'used', 'priority', 'score', 'deadline')
  if job.alone and #taken > 0 then break end
  call('ZREM', queue_key(lane), id)
  if key or job.batch then call('ZREM', batch_key(lane, key or job.batch), id) end
  -- What is past its deadline leaves the queue here and is ended by the reaper, who can tell it to the readers.
  if job.state == 'queued' and not (job.deadline and tonumber(job.deadline) <= now) then
    local attempt = job.attempt + 1
    set_state(id, 'queued', 'running')
    call('HSET', job_key(id), 'attempt', attempt, 'used', job.used + 1, 'worker', worker, 'claim', token, 'started', now,
      'step', 0)
    call('ZADD', P .. 'leases', now + lease, id)
    note_served(tonumber(job.priority), job.score)
    taken[#taken + 1] = {id, attempt, job.request, job.batch, job.alone and 1 or 0, job.deadline or '', images_done(id),
      log_event(id, max_events, 't', 'started', 'a', attempt, 'w', worker)}
    if job.alone then break end
    if same_batch == '1' then key = job.batch end
  end
end
return taken
