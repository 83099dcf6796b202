-- Claims that stand, each in the set of every model of its worker: who takes it out of one takes it out of all.
-- `words` from `from` on: the models.
local function standing_key(model) return P .. 'standing:' .. model end
local function standing_claim(worker, token, lease, words, from)
  return worker .. ' ' .. token .. ' ' .. lease .. ' ' .. table.concat(words, '\n', from)
end
local function stand(claim, wait, models)
  for _, model in ipairs(models) do
    local key = standing_key(model)
    call('ZREMRANGEBYSCORE', key, '-inf', now_text)
    call('ZADD', key, text(now + wait), claim)
    call('PEXPIRE', key, wait)
  end
end
local function stand_no_longer(claim, models)
  local stood = 0
  for _, model in ipairs(models) do stood = stood + call('ZREM', standing_key(model), claim) end
  return stood > 0
end
-- Gives a job to a claim on its model that stands, the last one heard of first: its worker is told "<token> <job>" over the
-- channel granted:<worker>#<instance>. Answers the worker, the token and the lease, or nothing where nobody stands whom
-- Redis could tell.
local function grant(model, job)
  while true do
    local claim, wait_until = unpack(call('ZPOPMAX', standing_key(model)))
    if not claim then return end
    if tonumber(wait_until) < now then
      call('DEL', standing_key(model))
      return
    end
    local worker, token, lease, models = string.match(claim, '^(%S+) (%S+) (%d+) (.*)$')
    for other in string.gmatch(models, '[^\n]+') do
      if other ~= model then call('ZREM', standing_key(other), claim) end
    end
    -- A refusal (no right to publish) is an answer like "nobody hears it".
    local channel = P .. 'granted:' .. worker .. '#' .. (string.match(token, '^(.*):') or token)
    local told = redis.pcall('PUBLISH', channel, token .. ' ' .. job())
    if type(told) == 'number' and told > 0 then return worker, token, tonumber(lease) end
  end
end
