-- Takes a token from a bucket, and returns whether there was one. The value is when the bucket is full again, in
-- milliseconds since 1970; a bucket that is full is not there.
-- KEYS: the bucket. ARGV: the time in which an empty one fills, and in which one token comes, in milliseconds.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local size, every = tonumber(ARGV[1]), tonumber(ARGV[2])

local function fill(at)
	if at > now then redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', at - now) end
end

local full = tonumber(redis.call('GET', KEYS[1]) or '') or 0
if full > now + size then -- it was used while a clock was ahead: it is empty, and no emptier
	fill(now + size)
	return 0
end
local after = math.max(full, now) + every
if after > now + size then return 0 end
fill(after)
return 1
