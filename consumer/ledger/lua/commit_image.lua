-- One image of a running attempt, whose bytes have been sent ahead. ARGV: id, attempt, worker, image ttl ms, index, description
-- Answers 1, 0 when the attempt does not hold the job, or -1 when Redis had no room for the bytes.
local id, attempt, worker, image_ttl = unpack(ARGV)
if not holds(fields(id, 'state', 'held'), attempt, worker) then return 0 end
return keep_images(id, attempt, image_ttl, 5, 1) and 1 or -1
