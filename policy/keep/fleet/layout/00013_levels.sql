-- +goose Up
-- How many records a block of the history's index is made for: 0 for those that just came, 1 for some thousands, 2 for many. A
-- daemon that knows only merged writes none. It takes a block of level 2 for damaged, and reads its records instead: slowly.
ALTER TABLE history_block ADD COLUMN level integer;

UPDATE layout SET version = 13;
