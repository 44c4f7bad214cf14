-- +goose Up
-- Records of messages, a table for each day, which is dropped when they are too old. time is when a message was received, in
-- milliseconds; queue and mid are hashes of the queue id and the Message-ID; host is the one that wrote the record, which is
-- JSON. Keys are given out by history_extent, and become visible in their order.
CREATE TABLE history (
	time bigint NOT NULL, key bigint NOT NULL, id text COLLATE "C" NOT NULL, queue bigint, mid bigint, host text NOT NULL,
	record text NOT NULL) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX history_key ON history (key, time);
CREATE UNIQUE INDEX history_id ON history (id, time);
CREATE INDEX history_queue ON history (queue) WHERE queue IS NOT NULL;
CREATE INDEX history_mid ON history (mid) WHERE mid IS NOT NULL;

-- high: records with keys below are in blocks. next: the key of the next record. oldest: what was received before is not shown
-- any more, and goes with its day.
CREATE TABLE history_extent (
	one integer PRIMARY KEY CHECK (one = 1), high bigint NOT NULL, next bigint NOT NULL, oldest bigint NOT NULL);
INSERT INTO history_extent VALUES (1, 1, 1, -9223372036854775808);

-- The index of records, in blocks, and what these consist of.
CREATE TABLE history_block (
	first bigint PRIMARY KEY, last bigint NOT NULL, rows integer NOT NULL, merged boolean NOT NULL,
	newest bigint NOT NULL, newest_key bigint NOT NULL, oldest bigint NOT NULL, oldest_key bigint NOT NULL);
CREATE TABLE history_part (
	block bigint NOT NULL REFERENCES history_block ON DELETE CASCADE, part bigint NOT NULL, data bytea NOT NULL,
	PRIMARY KEY (block, part));
ALTER TABLE history_part ALTER COLUMN data SET STORAGE EXTERNAL;

-- How often values turned up, by hours since 1970.
CREATE TABLE history_count (
	what text COLLATE "C" NOT NULL, hour bigint NOT NULL, value text COLLATE "C" NOT NULL, n bigint NOT NULL,
	PRIMARY KEY (what, hour, value)) WITH (fillfactor = 70);
CREATE INDEX history_count_hour ON history_count (hour);

UPDATE layout SET version = 3;
