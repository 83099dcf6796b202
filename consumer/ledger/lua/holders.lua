-- Who holds leases, as "<worker>#<instance>", each once. Left out are claims over connections that Redis does not show by
-- name (their tokens end in '?'): nobody could tell whether those workers are connected.
local seen, holders = {}, {}
for _, id in ipairs(call('ZRANGE', P .. 'leases', '(0', '+inf', 'BYSCORE')) do
  local job = fields(id, 'worker', 'claim')
  local instance = string.match(job.claim or '', '^(.*):%d+$')
  local name = job.worker and instance and job.worker .. '#' .. instance
  if name and not seen[name] then
    seen[name] = true
    holders[#holders + 1] = name
  end
end
return holders
