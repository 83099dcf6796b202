-- @flags no-writes
-- Who holds leases, as "<worker>#<instance>", each once. Left out are claims over connections that Redis does not show by
-- name (their tokens end in '?'): nobody could tell whether those workers are connected.
local seen, holders = {}, {}
for _, id in ipairs(call('ZRANGE', P .. 'leases', '(0', '+inf', 'BYSCORE')) do
  local last = read_held(read_running(call('HGET', P .. 'running', id) or ''))
  local instance = string.match(last.token, '^(.*):%d+$')
  local name = instance and last.worker .. '#' .. instance
  if name and not seen[name] then
    seen[name] = true
    holders[#holders + 1] = name
  end
end
return holders
