/**
 * BullMQ's priorities end at 2,097,151, where a bulk lane that never runs empty gets after 500 million texts. Before
 * that all tags go down by the same number, `by`. Tenants and the virtual time do at once; waiting jobs from the lowest
 * on, some with each script that takes tags, as 100,000 at once would hold Redis up for half a second. `upTo`, in tags of
 * after, says how far that has come: a priority above `upTo + by` is one of before. A new job whose place is above `upTo`
 * gets one of before too, and is lowered with its neighbours, so the order is right at every moment.
 *
 * A job's score is `priority × 2³² + counter`, as BullMQ's getPriorityScore makes it; the priority in its hash goes
 * down as well, from which BullMQ makes the score of one that comes back. (Its option `priority` stays: BullMQ reads that
 * only when it adds.) Jobs in hand keep to the same rule.
 */
export const REBASE_LUA = `
local SCORES = 4294967296
local function readRebase(fairShare)
  local stored = redis.call('HMGET', fairShare, 'rebaseBy', 'rebasedUpTo')
  local by, upTo = tonumber(stored[1] or 0), tonumber(stored[2] or 0)
  return { by = by or 0, upTo = upTo or 0 }
end
local function tagAfter(priority, rebase)
  return priority > rebase.upTo + rebase.by and priority - rebase.by or priority
end
local function priorityNow(tag, rebase)
  return tag > rebase.upTo and tag + rebase.by or tag
end`;

/** Needs REBASE_LUA; `jobs` has the keys of the lane's parts, and `prefix`, which makes the key of a job of its id. */
export const LOWER_TAGS_LUA = `
local function lowerHash(jobKey, lowered)
  local priority = tonumber(redis.call('HGET', jobKey, 'priority') or 0) or 0
  if priority > 0 then redis.call('HSET', jobKey, 'priority', lowered(priority)) end
end
local function lowerHeld(jobs, lowered)
  for _, list in ipairs({ jobs.wait, jobs.active }) do
    for _, id in ipairs(redis.call('LRANGE', list, 0, -1)) do lowerHash(jobs.prefix .. id, lowered) end
  end
  for _, id in ipairs(redis.call('ZRANGE', jobs.delayed, 0, -1)) do lowerHash(jobs.prefix .. id, lowered) end
end
local function lowerWaiting(jobs, waiting, lowered)
  local priority
  for i = 1, #waiting, 2 do
    priority = math.floor(waiting[i + 1] / SCORES)
    redis.call('ZADD', jobs.prioritized, lowered(priority) * SCORES + waiting[i + 1] % SCORES, waiting[i])
    lowerHash(jobs.prefix .. waiting[i], lowered)
  end
  return priority
end
local function beginRebase(fairShare, tenants, jobs, by)
  redis.call('ZREMRANGEBYSCORE', tenants, '-inf', by)
  local members = redis.call('ZRANGE', tenants, 0, -1, 'WITHSCORES')
  for i = 1, #members, 2 do redis.call('ZADD', tenants, members[i + 1] - by, members[i]) end
  -- What was pulled or came back is below the virtual time: few, and they would look lowered already.
  local function lowered(priority) return math.max(1, priority - by) end
  lowerHeld(jobs, lowered)
  local below = redis.call('ZRANGEBYSCORE', jobs.prioritized, '-inf', (by + 1) * SCORES - 1, 'WITHSCORES')
  lowerWaiting(jobs, below, lowered)
  redis.call('HSET', fairShare, 'rebaseBy', by, 'rebasedUpTo', 0)
  return { by = by, upTo = 0 }
end
local function continueRebase(fairShare, jobs, rebase, count)
  local function lowered(priority) return tagAfter(priority, rebase) end
  lowerHeld(jobs, lowered)
  local from = (rebase.upTo + rebase.by + 1) * SCORES
  local waiting = redis.call('ZRANGEBYSCORE', jobs.prioritized, from, '+inf', 'WITHSCORES', 'LIMIT', 0, count)
  local last = lowerWaiting(jobs, waiting, lowered)
  if #waiting < count * 2 then
    redis.call('HDEL', fairShare, 'rebaseBy', 'rebasedUpTo')
    return { by = 0, upTo = 0 }
  end
  -- Others may have the last one's priority and be left for the next time.
  rebase = { by = rebase.by, upTo = last - rebase.by - 1 }
  redis.call('HSET', fairShare, 'rebasedUpTo', rebase.upTo)
  return rebase
end`;
