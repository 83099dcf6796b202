-- Newest first. ARGV: state or '', cursor (an id) or '', limit. Answers {next cursor or '', list of describe(id)}
local state, cursor, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local index = state ~= '' and P .. 'jobs:' .. state or P .. 'jobs'
local ids = call('ZRANGE', index, cursor ~= '' and '(' .. cursor or '+', '-', 'BYLEX', 'REV', 'LIMIT', 0, limit + 1)
local rows = {}
for i = 1, math.min(limit, #ids) do
  local row = describe(ids[i])
  if row then rows[#rows + 1] = row end
end
return {#ids > limit and ids[limit] or '', rows}
