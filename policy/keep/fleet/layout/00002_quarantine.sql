-- +goose Up
-- Kept messages. time is when one was received, in milliseconds. queue and message begin with the MTA's queue id and the Message-ID. row is
-- what lists show, and entry is all that is known; both are JSON. In entry U+E000 and "0" stand for NUL, which JSONB has not.
CREATE TABLE quarantine (
	id text COLLATE "C" PRIMARY KEY, time bigint NOT NULL, class text NOT NULL, state text NOT NULL, stored bigint NOT NULL,
	unasked boolean NOT NULL, handled boolean NOT NULL, queue text NOT NULL, message text NOT NULL, host text NOT NULL,
	row text NOT NULL, entry jsonb NOT NULL);
CREATE INDEX quarantine_time ON quarantine (time, id);
CREATE INDEX quarantine_first ON quarantine (unasked DESC, time, id);
CREATE INDEX quarantine_size ON quarantine (class, state, unasked, stored);
CREATE INDEX quarantine_queue ON quarantine (queue);
CREATE INDEX quarantine_message ON quarantine (message);

-- The messages, packed by gzip and cut into pieces. They are written before their entry, and go with it; none is there without.
CREATE TABLE quarantine_body (
	id text COLLATE "C" NOT NULL REFERENCES quarantine ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, n integer NOT NULL,
	data bytea NOT NULL, PRIMARY KEY (id, n));
ALTER TABLE quarantine_body ALTER COLUMN data SET STORAGE EXTERNAL;

-- The addresses that messages wait for.
CREATE TABLE quarantine_waiting (
	address text COLLATE "C" NOT NULL, time bigint NOT NULL, id text COLLATE "C" NOT NULL REFERENCES quarantine ON DELETE CASCADE,
	PRIMARY KEY (address, time, id));
CREATE INDEX quarantine_waiting_id ON quarantine_waiting (id);

-- What was done to messages, for good.
CREATE TABLE quarantine_audit (at timestamptz NOT NULL, id text COLLATE "C" NOT NULL, event jsonb NOT NULL);
CREATE INDEX quarantine_audit_at ON quarantine_audit (at);

UPDATE layout SET version = 2;
