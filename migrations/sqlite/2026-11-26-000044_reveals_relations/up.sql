-- Who learned the names, the words or the exact place behind an incident. The reason is sealed under the row's uuid:
-- what somebody wanted with a name can point at a person too.
CREATE TABLE reveals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    revealed_by BLOB NOT NULL,
    revealed_at TEXT NOT NULL,
    parts TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX reveals_uuid_key ON reveals (uuid);
CREATE INDEX reveals_incident_id_idx ON reveals (incident_id);
CREATE INDEX reveals_revealed_by_idx ON reveals (revealed_by);

-- Incidents that belong together without being one, in whatever countries; `one_id` is the smaller, so that a pair has
-- one row. A link that was undone stays as it was, with who undid it.
CREATE TABLE incident_relations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    one_id INTEGER NOT NULL REFERENCES incidents (id),
    other_id INTEGER NOT NULL REFERENCES incidents (id),
    related_by BLOB NOT NULL,
    related_at TEXT NOT NULL,
    unrelated_by BLOB,
    unrelated_at TEXT
) STRICT;
CREATE UNIQUE INDEX incident_relations_uuid_key ON incident_relations (uuid);
CREATE UNIQUE INDEX incident_relations_pair_key ON incident_relations (one_id, other_id) WHERE unrelated_at IS NULL;
CREATE INDEX incident_relations_other_id_idx ON incident_relations (other_id);
