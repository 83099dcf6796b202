-- @flags allow-oom
-- The leases of workers that are known to be gone end now; the reaper does the rest. ARGV: "<worker>#<instance>"...
-- The instance is the part of a claim's token before its colon. Answers how many leases that were.
local gone, ended = {}, 0
for _, name in ipairs(ARGV) do gone[name] = true end
for _, id in ipairs(call('ZRANGE', P .. 'leases', 0, -1)) do
  local last = read_held(read_running(call('HGET', P .. 'running', id) or ''))
  local instance = string.match(last.token, '^(.*):')
  if instance and gone[last.worker .. '#' .. instance] then
    call('ZADD', P .. 'leases', 0, id)
    ended = ended + 1
  end
end
return ended
