-- document_put.lua: keep what a source tells of a match's line-ups or statistics, unless something newer of it is kept.
-- Returns {version, purge, ring}: version is 0 where nothing changed for readers; purge and ring are 1 if the purge
-- bell, or history's, was silent and has been set.
-- KEYS[1] documents hash  KEYS[2] documents pending zset  KEYS[3] history bell  KEYS[4] purge pending zset  KEYS[5] purge bell
-- ARGV[1] match id  ARGV[2] field: kind/source  ARGV[3] stamp (ms)  ARGV[4] document JSON  ARGV[5] expiry (s)
-- ARGV[6] what to purge at the edge, "" for nothing  ARGV[7] bell expiry (s)
local documents, pending, history_bell, purge_pending, purge_bell = unpack(KEYS, 1, 5)
local match_id, field, at, document, expiry_s, purge_entry, bell_s = unpack(ARGV, 1, 7)
local kept = redis.call("HGET", documents, field)
local version = 0
if kept then
    local kept_at, kept_version, kept_document = string.match(kept, "^(%d+) (%d+) (.*)$")
    if tonumber(at) < tonumber(kept_at) then
        return {0, 0, 0}
    end
    redis.call("EXPIRE", documents, expiry_s)
    if document == kept_document then
        return {0, 0, 0}
    end
    version = tonumber(kept_version)
end
local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
version = math.max(version + 1, now)
redis.call("HSET", documents, field, string.format("%s %.0f %s", at, version, document))
redis.call("EXPIRE", documents, expiry_s)
redis.call("ZADD", pending, string.format("%.0f", now), match_id)
local purge, ring = 0, 0
if purge_entry ~= "" then
    redis.call("ZADD", purge_pending, string.format("%.0f", now), purge_entry)
    if redis.call("SET", purge_bell, string.format("%.0f", now), "NX", "EX", bell_s) then
        purge = 1
    end
end
if redis.call("SET", history_bell, string.format("%.0f", now), "NX", "EX", bell_s) then
    ring = 1
end
return {version, purge, ring}
