import { REBASE_LUA } from './rebase-tags.ts';

/**
 * A chunk is settled: its start tag is the fair share's virtual time, if no higher one was settled. Part of the script
 * that settles, so it costs no round trip. The tag is read from the job's hash, which still stands then and which a
 * rebase keeps right, so no worker tells one of before. An interactive job has none. The fair share's hash is not made
 * anew here: it would have no time to live.
 */
export const SERVE_TAG_LUA = `
${REBASE_LUA}
local function serveTag(fairShare, jobKey)
  local priority = tonumber(redis.call('HGET', jobKey, 'priority') or 0) or 0
  if priority < 1 then return end
  local served = tonumber(redis.call('HGET', fairShare, 'served') or nil)
  if not served or priority - 1 <= served then return end
  local tag = tagAfter(priority, readRebase(fairShare))
  if tag - 1 > served then redis.call('HSET', fairShare, 'served', tag - 1) end
end`;
