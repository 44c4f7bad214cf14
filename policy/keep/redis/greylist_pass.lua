-- Remembers that a person lets a sender through to a recipient, and returns until when, in seconds since 1970.
-- KEYS: sender and recipient. ARGV: for how many seconds.
redis.call('SET', KEYS[1], 1, 'EX', ARGV[1])
return tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
