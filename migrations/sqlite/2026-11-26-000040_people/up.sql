-- The coalition as data: who belongs to which organisation, which countries make a region, who may do what, where and
-- from when to when. Nothing here is deleted when it ends: a year later it must still be told who could see what.

-- Organisations are known in public; people are not, so names of people stay sealed.
CREATE TABLE organisations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    name TEXT NOT NULL,
    country TEXT,
    membership TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX organisations_uuid_key ON organisations (uuid);
CREATE UNIQUE INDEX organisations_name_key ON organisations (name);

-- `level` is regional (a bucket of counts) or international (a scope across regions: as a bucket it would count every
-- incident a second time).
CREATE TABLE regions (
    code TEXT NOT NULL PRIMARY KEY,
    name_en TEXT NOT NULL,
    name_fr TEXT NOT NULL,
    level TEXT NOT NULL
) STRICT;
CREATE TABLE region_countries (
    region TEXT NOT NULL REFERENCES regions (code),
    country TEXT NOT NULL,
    PRIMARY KEY (region, country)
) STRICT;
CREATE INDEX region_countries_country_idx ON region_countries (country);
INSERT INTO regions (code, name_en, name_fr, level) VALUES
    ('southern', 'Southern Africa', 'Afrique australe', 'regional'),
    ('central', 'Central Africa', 'Afrique centrale', 'regional'),
    ('west', 'West Africa', 'Afrique de l''Ouest', 'regional'),
    ('international', 'International', 'International', 'international');
INSERT INTO region_countries (region, country) VALUES
    ('southern', 'BWA'), ('southern', 'ZWE'), ('southern', 'LSO'), ('southern', 'AGO'), ('southern', 'NAM'), ('southern', 'ZAF'),
    ('central', 'COD'), ('central', 'CMR'), ('central', 'CAF'), ('central', 'COG'), ('central', 'GAB'),
    ('west', 'SLE'), ('west', 'LBR'), ('west', 'GIN'), ('west', 'CIV'), ('west', 'GHA'), ('west', 'TGO'), ('west', 'MLI'),
    ('international', 'BWA'), ('international', 'ZWE'), ('international', 'LSO'), ('international', 'COD'),
    ('international', 'CMR'), ('international', 'CAF'), ('international', 'SLE'), ('international', 'LBR'),
    ('international', 'GIN'), ('international', 'CIV');
-- Rises with every edit of a region: by it a running server notices that its regions are old.
INSERT INTO heads (name, seq) VALUES ('regions', 1);

ALTER TABLE users ADD COLUMN organisation_id INTEGER REFERENCES organisations (id);
CREATE INDEX users_organisation_id_idx ON users (organisation_id);
ALTER TABLE devices ADD COLUMN organisation_id INTEGER REFERENCES organisations (id);
CREATE INDEX devices_organisation_id_idx ON devices (organisation_id);
CREATE INDEX devices_owner_id_idx ON devices (owner_id);
-- A name set free by revoking a phone may be given to the next one.
DROP INDEX devices_name_index_key;
CREATE UNIQUE INDEX devices_name_index_key ON devices (name_index) WHERE revoked_at IS NULL;

-- Grants get an id of their own, a time within which they hold, and whom they come from. `granted_by` is null where the
-- command line gave it.
CREATE TEMPORARY TABLE grants_before AS SELECT * FROM grants;
DROP TABLE grants;
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    scope_value TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    granted_by BLOB,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;
INSERT INTO grants (id, uuid, user_id, role, scope_kind, scope_value, valid_from, created_at)
    SELECT id, randomblob(16), user_id, role, scope_kind, scope_value, created_at, created_at FROM grants_before;
DROP TABLE grants_before;
CREATE UNIQUE INDEX grants_uuid_key ON grants (uuid);
CREATE INDEX grants_user_id_idx ON grants (user_id);
CREATE INDEX grants_role_idx ON grants (role);

-- What the holder of a grant follows: a theme they lead, a working group they watch.
CREATE TABLE grant_tags (
    grant_id INTEGER NOT NULL REFERENCES grants (id),
    tag TEXT NOT NULL,
    PRIMARY KEY (grant_id, tag)
) STRICT;
CREATE INDEX grant_tags_tag_idx ON grant_tags (tag);

-- A token may be narrower than its owner: `actions` and `scope` are null where it is not. Revealing must be asked for.
ALTER TABLE tokens ADD COLUMN actions TEXT;
ALTER TABLE tokens ADD COLUMN scope TEXT;
ALTER TABLE tokens ADD COLUMN may_reveal INTEGER NOT NULL DEFAULT 0;

-- A link that lets one person set a password, once. Only the hash of its secret is kept.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT,
    revoked_at TEXT
) STRICT;
CREATE UNIQUE INDEX invitations_uuid_key ON invitations (uuid);
CREATE UNIQUE INDEX invitations_hash_key ON invitations (hash);
CREATE INDEX invitations_user_id_idx ON invitations (user_id);

-- The link that makes the first coordinator: one row, so that however many use it at once, one does.
CREATE TABLE setup_links (
    name TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
