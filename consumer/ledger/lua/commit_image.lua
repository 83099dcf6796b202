-- One image of a running attempt. ARGV: id, attempt, worker, index, description, bytes, image ttl ms
-- Answers 1, or 0 when the attempt does not hold the job.
local id, attempt, worker, index, description, bytes, image_ttl = unpack(ARGV)
if not holds(fields(id, 'state', 'attempt', 'worker'), attempt, worker) then return 0 end
keep_image(id, index, description, bytes, image_ttl)
return 1
