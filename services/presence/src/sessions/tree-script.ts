// Lua: trees of devices move with their sessions. What a connect decided waits as `next` until the broker has the connection,
// so that one that never came ends nothing of the connection that is there.

/**
 * `keys`: of keysOfTree. `promote` makes what waits the tree; `fell` takes the tree away and answers its connection.
 * `version` rises with the clock of Redis.
 */
export const treeScript = `
local function version()
  local at = redis.call("TIME")
  return string.format("%.0f", at[1] * 1000000 + at[2])
end
local function plant(keys, uid, tree, name)
  redis.call("DEL", keys.next, keys.nextFilters)
  redis.call("HSET", keys.next, "user", uid, "base", tree.base, "accounts", tree.accounts,
    "persistent", tostring(tree.persistent))
  if tree.dialect then redis.call("HSET", keys.next, "dialect", tree.dialect) end
  if name then redis.call("HSET", keys.next, "connection", name) end
  for _, filter in ipairs(tree.filters) do redis.call("SADD", keys.nextFilters, filter) end
  redis.call("PEXPIRE", keys.next, 600000)
  redis.call("PEXPIRE", keys.nextFilters, 600000)
end
local function isOf(key, name)
  local kept = redis.call("HGET", key, "connection")
  return redis.call("EXISTS", key) == 1 and (not name or not kept or kept == name)
end
local function promote(keys, id)
  redis.call("DEL", keys.tree, keys.filters)
  redis.call("RENAME", keys.next, keys.tree)
  if redis.call("EXISTS", keys.nextFilters) == 1 then redis.call("RENAME", keys.nextFilters, keys.filters) end
  redis.call("PERSIST", keys.tree)
  redis.call("PERSIST", keys.filters)
  redis.call("HSET", keys.tree, "version", version())
  redis.call("ZADD", keys.trees, 0, id)
end
local function fell(keys, id)
  local connection = redis.call("HGET", keys.tree, "connection") or ""
  redis.call("DEL", keys.tree, keys.filters)
  redis.call("ZREM", keys.trees, id)
  return connection
end`;
