-- @flags no-writes
-- ARGV: id, index. Answers {'found', bytes} | {'retired'} (described, its bytes gone) | {'missing'} | {'unknown'} | {'expired'}
local id, index = ARGV[1], ARGV[2]
local job = fields(id, 'given', 'image:' .. index)
if not job.given then return {why_missing(id)} end
local description = job['image:' .. index]
if not description then return {'missing'} end
local bytes = call('GET', image_key(id, index, string.match(description, '^%d+')))
return bytes and {'found', bytes} or {'retired'}
