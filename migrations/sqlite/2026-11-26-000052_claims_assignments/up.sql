-- Who works on an incident now: a lease that ends by itself, one row an incident, taken over by whoever claims it once it is
-- over. Apart from `incidents`, so that a claim changes neither version nor facts.
CREATE TABLE incident_claims (
    incident_id INTEGER NOT NULL PRIMARY KEY REFERENCES incidents (id),
    held_by BLOB NOT NULL,
    since TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX incident_claims_held_by_idx ON incident_claims (held_by, expires_at);
CREATE INDEX incident_claims_expires_at_idx ON incident_claims (expires_at);

-- Whose case an incident is, without an end.
CREATE TABLE incident_assignees (
    incident_id INTEGER NOT NULL PRIMARY KEY REFERENCES incidents (id),
    assignee BLOB NOT NULL,
    assigned_at TEXT NOT NULL
) STRICT;
CREATE INDEX incident_assignees_assignee_idx ON incident_assignees (assignee, incident_id);

-- How cases went from hand to hand: a claim that another took over, an assignment. The reason is sealed under the row's uuid.
CREATE TABLE case_moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    kind TEXT NOT NULL,
    from_user BLOB,
    to_user BLOB,
    moved_by BLOB NOT NULL,
    moved_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX case_moves_uuid_key ON case_moves (uuid);
CREATE INDEX case_moves_incident_id_idx ON case_moves (incident_id);

-- Floods that were rejected at once, each incident with the version this made: whoever undoes it puts back those that
-- still have it.
CREATE TABLE bulk_rejections (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    rejected_by BLOB NOT NULL,
    rejected_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX bulk_rejections_uuid_key ON bulk_rejections (uuid);
CREATE TABLE bulk_rejected (
    rejection_id INTEGER NOT NULL REFERENCES bulk_rejections (id),
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL,
    PRIMARY KEY (rejection_id, incident_id)
) STRICT;
CREATE INDEX bulk_rejected_incident_id_idx ON bulk_rejected (incident_id);

-- What a reviewer decided in a week is counted without a look at everybody's decisions.
CREATE INDEX decisions_decided_by_idx ON decisions (decided_by, decided_at);
