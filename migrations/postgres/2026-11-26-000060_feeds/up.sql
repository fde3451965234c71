-- Feed keys: tokens that read lists, counts and exports only, and that spreadsheets and maps send as a password.
ALTER TABLE tokens ADD COLUMN is_feed BOOLEAN NOT NULL DEFAULT FALSE;
