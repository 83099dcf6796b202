-- @flags no-writes
-- A page of the event log. ARGV: id, after (an entry id) or '', limit
-- Answers {truncated 0|1, entries}, or {'unknown'} or {'expired'}
local id, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local given = call('HGET', job_key(id), 'given')
if not given then return {why_missing(id)} end
local entries = call('XRANGE', events_key(id), after ~= '' and '(' .. after or '-', '+', 'COUNT', limit)
local head = call('XRANGE', events_key(id), '-', '+', 'COUNT', 1)[1]
-- The stream begins with the start of the first attempt, or with the end of a job that never had one: another entry at its
-- head means that the log was trimmed. Whether the asked place itself was trimmed away shows in its absence.
local kind, first = unpack(head and head[2] or {'s', '1 '})
local whole = (kind == 's' and string.sub(first, 1, 2) == '1 ') or (kind == 't' and head[2][4] == '0')
local truncated = 0
if not whole and (after == '' or #call('XRANGE', events_key(id), after, after) == 0) then truncated = 1 end
if after == '' and whole then
  local submitted, place = read_queued(given)
  table.insert(entries, 1, {submitted .. '-0', {'q', place}})
  entries[limit + 1] = nil
end
return {truncated, entries}
