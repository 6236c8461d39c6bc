-- board_read.lua: what one shard has of the board, all of one moment. Writes nothing.
-- Returns {version, ids and starts of the live matches, {since, told, through}, ids and versions of the changes}.
-- KEYS[1] board version  KEYS[2] live matches zset  KEYS[3] bounds of the changes hash  KEYS[4] board changes zset
local board_version, live_matches, bounds, changes = unpack(KEYS, 1, 4)
return {
    redis.call("GET", board_version),
    redis.call("ZRANGE", live_matches, 0, -1, "WITHSCORES"),
    redis.call("HMGET", bounds, "since", "told", "through"),
    redis.call("ZRANGE", changes, 0, -1, "WITHSCORES"),
}
