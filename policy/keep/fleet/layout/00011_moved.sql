-- +goose Up
-- How far a host has moved what it kept before, for kinds of which each row must come once and not come back: the number of the
-- last row there, and its time. place is the host with its file.
CREATE TABLE moved (
	place text COLLATE "C" NOT NULL, what text COLLATE "C" NOT NULL, last bigint NOT NULL, at bigint NOT NULL,
	PRIMARY KEY (place, what));

-- Lines that a host has moved are older than others of lower numbers.
CREATE INDEX audit_order ON audit (time, id);

UPDATE layout SET version = 11;
