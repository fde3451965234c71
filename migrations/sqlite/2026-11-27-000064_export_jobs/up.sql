-- Files that are made in the background and fetched later, for a day. `told` is what the audit log says of them; `scope` and `exact`
-- are where whoever asked could see incidents, and open reports, when the file was begun: whoever cannot any more does not get it.
-- The file itself is sealed in pieces under the job's uuid. `state` is running, ready, failed, or destroyed.
CREATE TABLE export_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    asked_by BLOB NOT NULL,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    told TEXT NOT NULL,
    scope TEXT NOT NULL,
    exact TEXT NOT NULL,
    state TEXT NOT NULL,
    n_pieces INTEGER NOT NULL,
    n_rows INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL,
    sha256 BLOB,
    created_at TEXT NOT NULL,
    touched_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX export_jobs_uuid_key ON export_jobs (uuid);
CREATE INDEX export_jobs_asked_by_idx ON export_jobs (asked_by);
CREATE INDEX export_jobs_created_at_idx ON export_jobs (created_at);
