-- +goose Up
-- Reports of DMARC, of all hosts together. Days are counted from 1970, times in seconds. id is the report's name, the same whoever
-- sends it. due is when it is sent, and again when it is tried again: 0 until somebody has begun, from when on nothing is added to it.
-- done is a JSON object of what has become of it at each address.
CREATE TABLE dmarc_report (
	day bigint NOT NULL, domain text COLLATE "C" NOT NULL, id text NOT NULL DEFAULT translate(gen_random_uuid()::text, '-', ''),
	owner text COLLATE "C" NOT NULL, policy text NOT NULL, rua text NOT NULL, due bigint NOT NULL,
	state text NOT NULL DEFAULT '', again bigint NOT NULL DEFAULT 0, tries bigint NOT NULL DEFAULT 0,
	done text NOT NULL DEFAULT '{}', why text NOT NULL DEFAULT '', PRIMARY KEY (day, domain));
CREATE INDEX dmarc_report_waiting ON dmarc_report (due) WHERE state = '';
CREATE INDEX dmarc_report_owner ON dmarc_report (day, owner);

-- How many messages have the same values, which row holds as JSON, and sum is the hash of.
CREATE TABLE dmarc_row (
	day bigint NOT NULL, domain text COLLATE "C" NOT NULL, sum bytea NOT NULL, row text NOT NULL, n bigint NOT NULL,
	PRIMARY KEY (day, domain, sum));

-- Reports that one organisation was sent on a day.
CREATE TABLE dmarc_sent (day bigint NOT NULL, destination text COLLATE "C" NOT NULL, n bigint NOT NULL, PRIMARY KEY (day, destination));

-- The parcels of counts that were added, until the host that sent one knows: one that comes twice counts once. lost is how many
-- messages of it found no room.
CREATE TABLE dmarc_parcel (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), lost bigint NOT NULL DEFAULT 0);
CREATE INDEX dmarc_parcel_at ON dmarc_parcel (at);

-- dmarc_add adds a parcel: the reports it is about, by day, and rows, each with the number of its report. It returns how many messages
-- found no room, or came when their report was begun. One host adds at a time, so that all bounds hold exactly.
-- +goose StatementBegin
CREATE FUNCTION dmarc_add(of_parcel text, days bigint[], domains text[], owners text[], policies text[], ruas text[], dues bigint[],
	reports bigint[], sums text[], texts text[], counts bigint[], most_domains bigint, most_rows bigint, most_owned bigint,
	OUT unplaced bigint) LANGUAGE plpgsql AS $$
DECLARE
	rooms bigint[]; -- for further rows, by report; NULL: nothing can be added to it
	begun bigint := 0; -- reports of the day that the loop is at
	r bigint;
BEGIN
	unplaced := 0;
	LOCK TABLE dmarc_parcel IN EXCLUSIVE MODE;
	SELECT p.lost INTO unplaced FROM dmarc_parcel p WHERE p.id = of_parcel;
	IF FOUND THEN
		RETURN;
	END IF;
	unplaced := 0;
	FOR i IN 1 .. cardinality(days) LOOP
		IF i = 1 OR days[i] <> days[i - 1] THEN
			SELECT count(*) INTO begun FROM dmarc_report WHERE day = days[i];
		END IF;
		rooms[i] := NULL;
		UPDATE dmarc_report SET policy = policies[i], rua = ruas[i]
			WHERE day = days[i] AND domain = domains[i] AND state = '' AND again = 0;
		IF NOT FOUND THEN
			CONTINUE WHEN begun >= most_domains
				OR EXISTS (SELECT FROM dmarc_report WHERE day = days[i] AND domain = domains[i])
				OR (SELECT count(*) FROM dmarc_report WHERE day = days[i] AND owner = owners[i]) >= most_owned;
			INSERT INTO dmarc_report (day, domain, owner, policy, rua, due)
				VALUES (days[i], domains[i], owners[i], policies[i], ruas[i], dues[i]);
			begun := begun + 1;
		END IF;
		rooms[i] := most_rows - (SELECT count(*) FROM dmarc_row WHERE day = days[i] AND domain = domains[i]);
	END LOOP;
	FOR i IN 1 .. cardinality(reports) LOOP
		r := reports[i];
		IF rooms[r] IS NOT NULL THEN
			UPDATE dmarc_row SET n = n + counts[i] WHERE day = days[r] AND domain = domains[r] AND sum = decode(sums[i], 'hex');
			CONTINUE WHEN FOUND;
			IF rooms[r] > 0 THEN
				INSERT INTO dmarc_row (day, domain, sum, row, n) VALUES (days[r], domains[r], decode(sums[i], 'hex'), texts[i], counts[i]);
				rooms[r] := rooms[r] - 1;
				CONTINUE;
			END IF;
		END IF;
		unplaced := unplaced + counts[i];
	END LOOP;
	INSERT INTO dmarc_parcel (id, lost) VALUES (of_parcel, unplaced);
END
$$;
-- +goose StatementEnd

UPDATE layout SET version = 5;
