-- Merges and splits, each with the reports it moved: a split needs nothing of them, since every report knows its home,
-- but a year later it must be told which reports stood together when somebody decided. Rows stay as they are. Why it was
-- done is sealed with the decision of each incident it touched.
CREATE TABLE regroupings (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    kind TEXT NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    done_by BLOB NOT NULL,
    done_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX regroupings_uuid_key ON regroupings (uuid);
CREATE INDEX regroupings_incident_id_idx ON regroupings (incident_id);

CREATE TABLE regrouped_reports (
    regrouping_id INTEGER NOT NULL REFERENCES regroupings (id),
    report_id INTEGER NOT NULL REFERENCES reports (id),
    from_incident_id INTEGER NOT NULL REFERENCES incidents (id),
    to_incident_id INTEGER NOT NULL REFERENCES incidents (id),
    PRIMARY KEY (report_id, regrouping_id)
) STRICT;
CREATE INDEX regrouped_reports_regrouping_id_idx ON regrouped_reports (regrouping_id);

-- The version that a merge or a split made of each incident it touched: the one whose decision has the reason.
CREATE TABLE regrouped_incidents (
    regrouping_id INTEGER NOT NULL REFERENCES regroupings (id),
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL,
    PRIMARY KEY (incident_id, version)
) STRICT;
CREATE INDEX regrouped_incidents_regrouping_id_idx ON regrouped_incidents (regrouping_id);
