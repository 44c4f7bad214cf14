-- Records one try of a client, and says how it stands, 0 known, 1 first seen, 2 too early, 3 back in time; and by how many
-- seconds it is early, or how long it was away. It is Try.Judge of the package greylist.
-- KEYS: the client; the client, sender and recipient; sender and recipient alone, whom a person may have let through.
-- ARGV: delay, window and keep in seconds; how often a client must have come back; the part of keep that is not written anew.
-- A client's value is how often it has come back. That of a pair is when it was met, 0 once it has come back.
local time = redis.call('TIME')[1]
local now, delay, window, keep = tonumber(time), tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local allow, lazily = tonumber(ARGV[4]), tonumber(ARGV[5])

local function value(key) return tonumber(redis.call('GET', key) or '') end
local function known(key)
	if keep - redis.call('TTL', key) >= keep / lazily then redis.call('EXPIRE', key, keep) end
	return {0, 0}
end

local passed = value(KEYS[1]) or 0
if allow > 0 and passed >= allow then return known(KEYS[1]) end
local met = value(KEYS[2])
if met == 0 then return known(KEYS[2]) end
if redis.call('EXISTS', KEYS[3]) == 1 then
	redis.call('SET', KEYS[2], 0, 'EX', keep)
	return {0, 0}
end
if not met or now < met then -- the clock was wrong then, or is now
	redis.call('SET', KEYS[2], time, 'EX', window)
	return {1, 0}
end
if now < met + delay then return {2, met + delay - now} end
redis.call('SET', KEYS[2], 0, 'EX', keep)
if allow > 0 then redis.call('SET', KEYS[1], passed + 1, 'EX', keep) end
return {3, now - met}
