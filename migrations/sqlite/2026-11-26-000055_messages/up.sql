-- Questions to the senders of reports, and their answers. They belong to the report and go where it goes; `incident_id` is
-- where it was then, and `version` the one that this made of that incident. `question_id` is null for a question, whose
-- `asked_by` is a reviewer; an answer is its sender's, who is told by the report alone. `answered_at` is when the first answer
-- to a question came: without it, it is open. The words are sealed under the row's uuid, and their keys go with the report's.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    report_id INTEGER NOT NULL REFERENCES reports (id),
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL,
    question_id INTEGER REFERENCES messages (id),
    asked_by BLOB,
    sent_at TEXT NOT NULL,
    answered_at TEXT
) STRICT;
CREATE UNIQUE INDEX messages_uuid_key ON messages (uuid);
CREATE INDEX messages_report_id_idx ON messages (report_id);
CREATE INDEX messages_incident_id_idx ON messages (incident_id, version);
CREATE INDEX messages_question_id_idx ON messages (question_id);

-- When the person was asked back and has not been told by mail; what is new to review is told apart from it.
ALTER TABLE notices ADD COLUMN asked_at TEXT;
