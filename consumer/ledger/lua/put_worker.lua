-- @flags allow-oom
-- ARGV: worker, bytes, ttl ms
call('SET', P .. 'worker:' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
call('ZADD', P .. 'workers', now + ARGV[3], ARGV[1])
return 1
