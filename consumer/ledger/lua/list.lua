-- @flags no-writes
-- Newest first. ARGV: state or '', cursor (an id) or '', limit. Answers {next cursor or '', list of describe(id)}
local wanted, cursor, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local key = P .. 'jobs'

-- The last `count` ids of a score before the cursor. Inside a score they lie in their order, so the place of the cursor is
-- found by halving.
local function page(score, count)
  local first = call('ZCOUNT', key, '-inf', '(' .. score)
  local last = first + call('ZCOUNT', key, score, score)  -- the first one that is too late
  if cursor ~= '' then
    local low = first
    while low < last do
      local middle = math.floor((low + last) / 2)
      if call('ZRANGE', key, middle, middle)[1] < cursor then low = middle + 1 else last = middle end
    end
  end
  if last == first then return {} end
  return call('ZRANGE', key, math.max(first, last - count), last - 1)
end

-- One more than the limit of a state's ids.
local function ids_in(state)
  local running = call('ZRANGE', P .. 'leases', 0, -1)
  local ids = {}
  if state == 'running' then
    for _, id in ipairs(running) do
      if cursor == '' or id < cursor then ids[#ids + 1] = id end
    end
  elseif state == 'queued' then
    local elsewhere = {}
    for _, id in ipairs(running) do elsewhere[id] = true end
    for _, id in ipairs(page(ALIVE, limit + 1 + #running)) do
      if not elsewhere[id] then ids[#ids + 1] = id end
    end
  else
    ids = page(state_number[state], limit + 1)
  end
  return ids
end

local ids = {}
if wanted ~= '' then
  ids = ids_in(wanted)
else
  for _, score in ipairs({ALIVE, unpack(ENDS)}) do
    for _, id in ipairs(page(score, limit + 1)) do ids[#ids + 1] = id end
  end
end
table.sort(ids, function(a, b) return a > b end)
local rows = {}
for i = 1, math.min(limit, #ids) do rows[i] = describe(ids[i]) end
return {#ids > limit and ids[limit] or '', rows}
