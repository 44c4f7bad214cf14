-- +goose Up
-- Which addresses know each other, as hashes, until when; in seconds since 1970. contact_began has one row: since when pairs are
-- remembered.
CREATE TABLE contact_pair (key bytea PRIMARY KEY, until bigint NOT NULL);
CREATE INDEX contact_pair_until ON contact_pair (until);
CREATE TABLE contact_began (one bigint PRIMARY KEY CHECK (one = 1), at bigint NOT NULL);
INSERT INTO contact_began VALUES (1, floor(extract(epoch FROM clock_timestamp()))::bigint);

UPDATE layout SET version = 9;
