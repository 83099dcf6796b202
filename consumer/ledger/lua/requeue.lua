-- @flags allow-oom
-- A job that ended without success is given another run by hand: last in the queue, attempts and losses counted anew, the
-- deadline starting again. The errors of its attempts stay. ARGV: id
-- Answers {'queued', event} | {'state', state} | {'unknown'} | {'expired'}
local id = ARGV[1]
local job = read_job(id, 'pinned', 'batch', 'priority', 'tenant', 'deadline_after', 'blobs', 'idempotency')
if not job.state then return {why_missing(id)} end
if job.state ~= 'dead' and job.state ~= 'failed' and job.state ~= 'cancelled' then return {'state', job.state} end

if job.idempotency then call('PERSIST', job.idempotency) end
hold_blobs(id, job.blobs)
uncount_images(id)
count_bytes('jobs', read_given(job).bytes)
-- Without its time in `state` the entry in the list of ended ones means nothing.
call('HDEL', job_key(id), 'alone', 'cancel', 'error', 'state', 'step')
job.score = next_score(tonumber(job.priority or 0), job.tenant or '')
call('HSET', job_key(id), 'score', job.score, 'held', held(read_held(job).attempt, '', '', 0, ''), 'lost', 0)
note_life(id, 'queued')
if job.deadline_after then
  call('HSET', job_key(id), 'deadline', now + job.deadline_after)
  index('ZADD', 'deadlines', now + job.deadline_after, id)
end
enqueue(id, job)
write_indexes()
local event = {'q', text(call('ZRANK', P .. 'queue:' .. lane_of(job), id))}
return {'queued', {log_event(id, unpack(event)), event}}
