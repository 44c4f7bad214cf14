-- +goose Up
-- Messages that are objects in a bucket, and have no pieces. A row without id is of a deleted message, or of none: its object is to be
-- removed, and the row after that. tried is when that was last begun. No entry can have an object that has such a row.
CREATE TABLE quarantine_object (
	name text COLLATE "C" PRIMARY KEY, id text COLLATE "C" UNIQUE REFERENCES quarantine ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
	tried timestamptz);
CREATE INDEX quarantine_object_left ON quarantine_object (tried NULLS FIRST) WHERE id IS NULL;

-- The folder of this database in the bucket, which no other database has, and when it was last looked through for what belongs to no entry.
CREATE TABLE quarantine_folder (name text NOT NULL, swept timestamptz NOT NULL);
INSERT INTO quarantine_folder VALUES (replace(gen_random_uuid()::text, '-', ''), '-infinity');

UPDATE layout SET version = 12;
