-- What a report contributed to its incident until a change, so that an earlier state can be derived as it was then: the row of
-- the report keeps what it contributes now. `version` is the one that the change made of the incident, `kind` what it was:
-- revised, withdrawn or erased, retagged, or flagged (a flag was raised or lowered). `facts` is null once the report was erased.
CREATE TABLE report_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    report_id INTEGER NOT NULL REFERENCES reports (id),
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL,
    facts TEXT
) STRICT;
CREATE UNIQUE INDEX report_changes_version_key ON report_changes (incident_id, version, report_id);
CREATE INDEX report_changes_report_id_idx ON report_changes (report_id);
