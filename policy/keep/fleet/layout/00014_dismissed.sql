-- +goose Up
-- Delegates that were dismissed, who do not come back when a host moves what its file has. A daemon that does not know the table
-- writes nothing there.
CREATE TABLE dismissed (owner text COLLATE "C" NOT NULL, delegate text COLLATE "C" NOT NULL, PRIMARY KEY (owner, delegate));

UPDATE layout SET version = 14;
