-- The whole ground floor at once, because retrofitting sealing and stable identities is what others failed at.
--
-- Plain columns hold codes, days, areas and counts only. Whatever could name a person or a spot stands in `sealed`,
-- encrypted under a key of its own in `data_keys`; deleting that key shreds the text in every copy of the table.

-- Secrets of this instance (place veil, pseudonyms, content MAC, cursor MAC …), each wrapped by the instance key,
-- so that the instance key can be changed without touching what they produced. `check` proves the key at start.
CREATE TABLE instance_keys (
    purpose TEXT NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL,
    kek_id TEXT NOT NULL
) STRICT;

CREATE TABLE data_keys (
    id BLOB NOT NULL PRIMARY KEY,
    wrapped BLOB NOT NULL,
    kek_id TEXT NOT NULL
) STRICT;

-- `key_id` becomes null when the key is destroyed: the sealed bytes stay and can never be opened again.
CREATE TABLE sealed (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    owner_kind TEXT NOT NULL,
    owner_id BLOB NOT NULL,
    part TEXT NOT NULL,
    version INTEGER NOT NULL,
    key_id BLOB REFERENCES data_keys (id) ON DELETE SET NULL,
    blob BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX sealed_owner_key ON sealed (owner_id, part, version, owner_kind);
-- Destroying a key must find its sealed row without a scan.
CREATE INDEX sealed_key_id_idx ON sealed (key_id);

-- The event. `merged_into` is set while a merge holds; the row keeps its status for the split.
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    merged_into INTEGER REFERENCES incidents (id),
    opened_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX incidents_uuid_key ON incidents (uuid);
CREATE INDEX incidents_merged_into_idx ON incidents (merged_into);
CREATE INDEX incidents_status_idx ON incidents (status, id);

-- What counting, lists and filters read: derived from the active reports and the reviewers' overrides, never edited alone.
CREATE TABLE incident_facts (
    incident_id INTEGER NOT NULL PRIMARY KEY REFERENCES incidents (id),
    country TEXT NOT NULL,
    country_computed TEXT,
    admin1 TEXT,
    admin2 TEXT,
    zone TEXT,
    geo_precision TEXT NOT NULL,
    cell5 INTEGER,
    place_lon_e6 INTEGER,
    place_lat_e6 INTEGER,
    cell7_veiled BLOB,
    site_veiled BLOB,
    site_distance TEXT,
    boundary_source TEXT,
    first_day TEXT,
    last_day TEXT,
    date_precision TEXT,
    severity INTEGER,
    mining_mode TEXT,
    flags TEXT NOT NULL,
    channels TEXT NOT NULL,
    n_reports INTEGER NOT NULL,
    is_test INTEGER NOT NULL,
    is_mismatch INTEGER NOT NULL,
    is_ongoing INTEGER NOT NULL,
    is_at_risk INTEGER NOT NULL
) STRICT;
CREATE INDEX incident_facts_country_idx ON incident_facts (country, first_day);
CREATE INDEX incident_facts_country_computed_idx ON incident_facts (country_computed);
CREATE INDEX incident_facts_admin1_idx ON incident_facts (admin1);
CREATE INDEX incident_facts_first_day_idx ON incident_facts (first_day);
CREATE INDEX incident_facts_cell5_idx ON incident_facts (cell5);
CREATE INDEX incident_facts_cell7_veiled_idx ON incident_facts (cell7_veiled);
CREATE INDEX incident_facts_site_veiled_idx ON incident_facts (site_veiled);

CREATE TABLE incident_categories (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    is_confirmed INTEGER NOT NULL,
    PRIMARY KEY (incident_id, position)
) STRICT;
CREATE INDEX incident_categories_code_idx ON incident_categories (code);

-- `sex_age` is empty for the total of a measure. A measure nobody stated has no row: unknown is never 0.
CREATE TABLE incident_harm (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    measure TEXT NOT NULL,
    sex_age TEXT NOT NULL,
    min_count INTEGER NOT NULL,
    max_count INTEGER NOT NULL,
    PRIMARY KEY (incident_id, measure, sex_age)
) STRICT;

CREATE TABLE incident_actors (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    actor_type TEXT NOT NULL,
    PRIMARY KEY (incident_id, actor_type)
) STRICT;
CREATE INDEX incident_actors_actor_type_idx ON incident_actors (actor_type);

-- A reviewer's word on one field, as codes in JSON; it beats the reports until it is lifted.
CREATE TABLE incident_overrides (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (incident_id, field)
) STRICT;

-- One testimony as it was sent. Immutable but for `state`, `incident_id` (merge, split) and shredding.
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    home_incident_id INTEGER NOT NULL REFERENCES incidents (id),
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    follows BLOB,
    channel TEXT NOT NULL,
    submitter BLOB,
    content_mac BLOB NOT NULL,
    retry_key BLOB,
    reference TEXT NOT NULL,
    received_at TEXT NOT NULL,
    country TEXT NOT NULL,
    country_computed TEXT,
    admin1 TEXT,
    zone TEXT,
    geo_precision TEXT NOT NULL,
    cell5 INTEGER,
    place_lon_e6 INTEGER,
    place_lat_e6 INTEGER,
    cell7_veiled BLOB,
    site_veiled BLOB,
    site_distance TEXT,
    boundary_source TEXT,
    first_day TEXT,
    last_day TEXT,
    date_precision TEXT,
    flags TEXT NOT NULL,
    codes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX reports_uuid_key ON reports (uuid);
-- Only reports sent without an id have a retry key: same sender, same content, same day of the server's clock.
CREATE UNIQUE INDEX reports_retry_key_key ON reports (retry_key);
CREATE INDEX reports_incident_id_idx ON reports (incident_id);
CREATE INDEX reports_home_incident_id_idx ON reports (home_incident_id);
CREATE INDEX reports_reference_idx ON reports (reference);
CREATE INDEX reports_submitter_idx ON reports (submitter, received_at);

CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL,
    decided_by BLOB,
    decided_at TEXT NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    fields TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX decisions_uuid_key ON decisions (uuid);
CREATE UNIQUE INDEX decisions_incident_id_version_key ON decisions (incident_id, version);

-- What reached us but could not become a report: same id with other content, kept for a reviewer to judge.
CREATE TABLE quarantined (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    report_uuid BLOB NOT NULL,
    cause TEXT NOT NULL,
    channel TEXT NOT NULL,
    submitter BLOB,
    content_mac BLOB NOT NULL,
    country TEXT NOT NULL,
    country_told TEXT NOT NULL,
    received_at TEXT NOT NULL,
    state TEXT NOT NULL,
    decided_by BLOB,
    decided_at TEXT
) STRICT;
CREATE UNIQUE INDEX quarantined_uuid_key ON quarantined (uuid);
-- A phone that resends the same conflicting content for days fills one row, not thousands.
CREATE UNIQUE INDEX quarantined_content_key ON quarantined (report_uuid, content_mac);
CREATE INDEX quarantined_country_idx ON quarantined (country, id);
CREATE INDEX quarantined_country_told_idx ON quarantined (country_told, id);

-- One row per change of an incident, in commit order: `seq` is taken under the lock of the head row, as the last
-- act of a write transaction, so a reader who has seen n has seen everything below n.
CREATE TABLE heads (
    name TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO heads (name, seq) VALUES ('changes', 0);
CREATE TABLE changes (
    seq INTEGER NOT NULL,
    incident_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (seq, incident_id, kind)
) STRICT;
CREATE INDEX changes_incident_id_idx ON changes (incident_id);
