DROP TABLE setup_links;
DROP TABLE invitations;
ALTER TABLE tokens DROP COLUMN may_reveal;
ALTER TABLE tokens DROP COLUMN scope;
ALTER TABLE tokens DROP COLUMN actions;
DROP TABLE grant_tags;
CREATE TEMPORARY TABLE grants_after AS SELECT * FROM grants;
DROP TABLE grants;
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    scope_kind TEXT NOT NULL,
    scope_value TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
-- What has ended must not come back to life.
INSERT INTO grants (id, user_id, role, scope_kind, scope_value, created_at)
    SELECT min(id), user_id, role, scope_kind, scope_value, min(created_at) FROM grants_after
    WHERE revoked_at IS NULL AND valid_until IS NULL GROUP BY user_id, role, scope_kind, scope_value;
DROP TABLE grants_after;
CREATE UNIQUE INDEX grants_user_id_role_scope_key ON grants (user_id, role, scope_kind, scope_value);
DROP INDEX devices_name_index_key;
CREATE UNIQUE INDEX devices_name_index_key ON devices (name_index);
DROP INDEX devices_owner_id_idx;
DROP INDEX devices_organisation_id_idx;
ALTER TABLE devices DROP COLUMN organisation_id;
DROP INDEX users_organisation_id_idx;
ALTER TABLE users DROP COLUMN organisation_id;
DELETE FROM heads WHERE name = 'regions';
DROP TABLE region_countries;
DROP TABLE regions;
DROP TABLE organisations;
