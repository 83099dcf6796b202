-- @flags allow-oom
-- The bytes of every worker that has been heard of lately, by id.
call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', now)
local ids = call('ZRANGE', P .. 'workers', 0, -1)
table.sort(ids)
local found = {}
for _, id in ipairs(ids) do
  local bytes = call('GET', P .. 'worker:' .. id)
  if bytes then found[#found + 1] = bytes end
end
return found
