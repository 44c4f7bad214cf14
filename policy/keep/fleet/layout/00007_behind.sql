-- +goose Up
-- How many of what each host has to itself and has yet to write here: {"kept messages": 3}.
ALTER TABLE host ADD COLUMN behind jsonb NOT NULL DEFAULT '{}';

-- Whether a message that comes from elsewhere was here before.
CREATE INDEX quarantine_audit_id ON quarantine_audit (id);

UPDATE layout SET version = 7;
