-- Newest first. ARGV: state or '', cursor (an id) or '', limit. Answers {next cursor or '', list of describe(id)}
local wanted, cursor, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = P .. 'jobs'

-- One more than the limit of a state's ids, before the cursor. Inside a score they lie in their order, so the place of
-- the cursor is found by halving.
local function page(state)
  local first = call('ZCOUNT', key, '-inf', '(' .. state_number[state])
  local last = first + jobs_in(state)  -- the first one that is too late
  if cursor ~= '' then
    local low = first
    while low < last do
      local middle = math.floor((low + last) / 2)
      if call('ZRANGE', key, middle, middle)[1] < cursor then low = middle + 1 else last = middle end
    end
  end
  if last == first then return {} end
  return call('ZRANGE', key, math.max(first, last - limit - 1), last - 1)
end

local ids = {}
for _, state in ipairs(wanted ~= '' and {wanted} or STATES) do
  for _, id in ipairs(page(state)) do ids[#ids + 1] = id end
end
table.sort(ids, function(a, b) return a > b end)
local rows = {}
for i = 1, math.min(limit, #ids) do rows[i] = describe(ids[i]) end
return {#ids > limit and ids[limit] or '', rows}
