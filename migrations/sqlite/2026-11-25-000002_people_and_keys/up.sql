-- Who may ask. A user's name is sealed; `name_index` is a keyed hash, so that a name can be found and not read.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    name_index BLOB NOT NULL,
    created_at TEXT NOT NULL,
    disabled_at TEXT
) STRICT;
CREATE UNIQUE INDEX users_uuid_key ON users (uuid);
CREATE UNIQUE INDEX users_name_index_key ON users (name_index);

-- `scope_kind` is all, country or region; `scope_value` is empty for all.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    scope_value TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX grants_user_id_role_scope_key ON grants (user_id, role, scope_kind, scope_value);

-- Only SHA-256 of a 256-bit secret is kept: nothing in this table opens anything.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX tokens_uuid_key ON tokens (uuid);
CREATE UNIQUE INDEX tokens_hash_key ON tokens (hash);
CREATE INDEX tokens_user_id_idx ON tokens (user_id);

CREATE TABLE devices (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    name_index BLOB NOT NULL,
    country TEXT NOT NULL,
    owner_id INTEGER REFERENCES users (id),
    organisation TEXT,
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX devices_uuid_key ON devices (uuid);
CREATE UNIQUE INDEX devices_hash_key ON devices (hash);
CREATE UNIQUE INDEX devices_name_index_key ON devices (name_index);

-- Who opened or changed what: opaque ids only, so that an entry survives the shredding of what it speaks of.
-- Entries of intake carry no actor.
CREATE TABLE audit_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TEXT NOT NULL,
    actor BLOB,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_entries_subject_id_idx ON audit_entries (subject_id, id);
CREATE INDEX audit_entries_actor_idx ON audit_entries (actor, id);
