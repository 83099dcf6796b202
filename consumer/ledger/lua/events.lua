-- A page of the event log. ARGV: id, after (an entry id) or '', limit
-- Answers {truncated 0|1, entries}, or {'unknown'} or {'expired'}
local id, after, limit = ARGV[1], ARGV[2], ARGV[3]
local entries = call('XRANGE', events_key(id), after ~= '' and '(' .. after or '-', '+', 'COUNT', limit)
if #entries > 0 or call('EXISTS', events_key(id)) == 1 then
  local truncated = 0
  local head = call('XRANGE', events_key(id), '-', '+', 'COUNT', 1)[1]
  -- The first entry is always `queued`: another one at the head means that the log was trimmed. Whether the asked place
  -- itself was trimmed away shows in its absence.
  if head and head[2][1] ~= 'q' then
    if after == '' or #call('XRANGE', events_key(id), after, after) == 0 then truncated = 1 end
  end
  return {truncated, entries}
end
return {why_missing(id)}
