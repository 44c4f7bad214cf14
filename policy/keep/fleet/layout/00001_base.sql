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

-- greylist_try records one try of a client, and says how it stands: 0 known, 1 first seen, 2 too early, 3 back in time; and by
-- how many seconds it is early, or how long it was away. It is Try.Judge of the package greylist, as one statement: nothing
-- that another host does meanwhile is lost or counted twice, since what changes says again what it rests on.
-- +goose StatementBegin
CREATE FUNCTION greylist_try(of_client bytea, of_pair bytea, of_pass bytea, delay bigint, hold bigint, keep bigint, allow bigint, lazily bigint,
	OUT standing bigint, OUT span bigint) LANGUAGE plpgsql AS $$
DECLARE
	t bigint := floor(extract(epoch FROM clock_timestamp()))::bigint;
	client greylist_seen;
	pair greylist_seen;
	met bigint;
BEGIN
	standing := 0;
	span := 0;
	IF allow > 0 THEN
		SELECT * INTO client FROM greylist_seen WHERE key = of_client AND until >= t AND passed >= allow;
		IF FOUND THEN
			IF t + keep - client.until >= keep / lazily THEN
				UPDATE greylist_seen SET until = t + keep WHERE key = of_client AND until < t + keep;
			END IF;
			RETURN;
		END IF;
	END IF;
	FOR try IN 1..5 LOOP
		SELECT * INTO pair FROM greylist_seen WHERE key = of_pair AND until >= t;
		IF FOUND AND pair.passed > 0 THEN
			IF t + keep - pair.until >= keep / lazily THEN
				UPDATE greylist_seen SET until = t + keep WHERE key = of_pair AND until < t + keep;
			END IF;
			RETURN;
		END IF;
		SELECT first_at INTO met FROM greylist_seen WHERE key = of_pass AND until >= t;
		IF FOUND THEN
			INSERT INTO greylist_seen (key, first_at, until, passed) VALUES (of_pair, met, t + keep, 1)
				ON CONFLICT (key) DO UPDATE SET first_at = excluded.first_at, until = excluded.until, passed = 1;
			RETURN;
		END IF;
		IF pair.key IS NULL OR t < pair.first_at THEN
			INSERT INTO greylist_seen AS g (key, first_at, until, passed) VALUES (of_pair, t, t + hold, 0)
				ON CONFLICT (key) DO UPDATE SET first_at = excluded.first_at, until = excluded.until, passed = 0
					WHERE g.until < t OR g.passed = 0 AND t < g.first_at;
			IF FOUND THEN
				standing := 1;
				RETURN;
			END IF;
			CONTINUE; -- another host was faster
		END IF;
		IF t < pair.first_at + delay THEN
			standing := 2;
			span := pair.first_at + delay - t;
			RETURN;
		END IF;
		UPDATE greylist_seen SET until = t + keep, passed = 1
			WHERE key = of_pair AND passed = 0 AND until >= t AND first_at + delay <= t;
		IF FOUND THEN
			IF allow > 0 THEN
				INSERT INTO greylist_seen AS g (key, first_at, until, passed) VALUES (of_client, t, t + keep, 1)
					ON CONFLICT (key) DO UPDATE SET until = t + keep,
						first_at = CASE WHEN g.until < t THEN t ELSE g.first_at END, passed = CASE WHEN g.until < t THEN 1 ELSE g.passed + 1 END;
			END IF;
			standing := 3;
			span := t - pair.first_at;
			RETURN;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'others are at the same records all the time' USING ERRCODE = 'serialization_failure';
END
$$;
-- +goose StatementEnd
