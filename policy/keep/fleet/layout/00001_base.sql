-- +goose Up
-- version is that of the last file here that was run. least is the version that a daemon must know to use the tables: a file
-- that changes what older daemons rely on raises it.
CREATE TABLE layout (one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL, least integer NOT NULL);
INSERT INTO layout VALUES (1, 1, 1);

-- Each host of the fleet, as it last said. drift is how far its clock was ahead of that of the database.
CREATE TABLE host (
	name text PRIMARY KEY, started timestamptz NOT NULL, seen timestamptz NOT NULL, drift_ms bigint NOT NULL,
	version text NOT NULL, layout integer NOT NULL, config text NOT NULL, facts jsonb NOT NULL);

-- What may be lost with the server needs no write-ahead log.
CREATE UNLOGGED TABLE rate_bucket (key bytea PRIMARY KEY, full_at bigint NOT NULL);
CREATE INDEX rate_bucket_full ON rate_bucket (full_at);

CREATE UNLOGGED TABLE greylist_seen (key bytea PRIMARY KEY, first_at bigint NOT NULL, until bigint NOT NULL, passed integer NOT NULL);
CREATE INDEX greylist_seen_until ON greylist_seen (until);
