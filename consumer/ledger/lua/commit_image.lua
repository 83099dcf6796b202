-- @flags allow-oom
-- One image of a running attempt, whose bytes have been sent ahead. ARGV: id, attempt, worker, image ttl ms, index, description
-- Answers 1, 0 when the attempt does not hold the job, or -1 when Redis had no room for the bytes.
local id, attempt, worker, image_ttl = unpack(ARGV)
local value = call('HGET', P .. 'running', id)
if not holds(value, attempt, worker) then return 0 end
if not keep_images(id, attempt, image_ttl, ARGV, 5, 1) then return -1 end
note_more(id, read_running(value))
return 1
