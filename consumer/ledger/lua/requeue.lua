-- A job that ended without success is given another run by hand: last in the queue, attempts and losses counted anew, the
-- deadline starting again. The errors of its attempts stay. ARGV: id, max events
-- Answers {'queued', event} | {'state', state} | {'unknown'} | {'expired'}
local id, max_events = ARGV[1], ARGV[2]
local job = fields(id, 'state', 'lane', 'batch', 'priority', 'tenant', 'deadline_after', 'blobs', 'idempotency', 'bytes')
if not job.state then return {why_missing(id)} end
if job.state ~= 'dead' and job.state ~= 'failed' and job.state ~= 'cancelled' then return {'state', job.state} end

call('PERSIST', job_key(id))
call('PERSIST', events_key(id))
if job.idempotency then call('PERSIST', job.idempotency) end
hold_blobs(id, job.blobs)
uncount_images(id)
count_bytes('jobs', job.bytes or 0)
call('ZREM', P .. 'retire', id)
set_state(id, job.state, 'queued')
call('HDEL', job_key(id), 'alone', 'cancel', 'error', 'finished', 'started', 'worker')
job.score = next_score(tonumber(job.priority), job.tenant or '')
call('HSET', job_key(id), 'score', job.score, 'used', 0, 'lost', 0, 'step', 0)
if job.deadline_after then
  call('HSET', job_key(id), 'deadline', now + job.deadline_after)
  call('ZADD', P .. 'deadlines', now + job.deadline_after, id)
end
enqueue(id, job)
return {'queued', log_event(id, max_events, 't', 'queued', 'p', call('ZRANK', queue_key(job.lane), id))}
