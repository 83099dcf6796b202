-- ARGV: id, index. Answers {'found', bytes} | {'retired'} (described, its bytes gone) | {'missing'} | {'unknown'} | {'expired'}
local id, index = ARGV[1], ARGV[2]
local bytes = call('GET', P .. 'image:' .. id .. ':' .. index)
if bytes then return {'found', bytes} end
local job = fields(id, 'state', 'image:' .. index)
if not job.state then return {why_missing(id)} end
return {job['image:' .. index] and 'retired' or 'missing'}
