ALTER TABLE notices DROP COLUMN asked_at;
DROP TABLE messages;
