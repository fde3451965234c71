-- Signing in. Nothing in these tables signs anybody in: a copy of them without the instance key yields no password to
-- guess at, no code and no session.

-- PHC strings of Argon2id keyed with a secret of the instance.
CREATE TABLE passwords (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    hash TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;

-- The secret of a second factor is sealed under the user; `version` says which version is in force, null while none is,
-- and `pending_version` which waits for its first code. `last_step` is the last 30 seconds a code was taken for: an
-- equal or earlier one is never taken again.
CREATE TABLE second_factors (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    version INTEGER,
    pending_version INTEGER,
    confirmed_at TEXT,
    last_step INTEGER NOT NULL
) STRICT;

-- Keyed hashes. A used code stays, so that one can tell its owner how many are left and when one was used.
CREATE TABLE recovery_codes (
    hash BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    used_at TEXT
) STRICT;
CREATE INDEX recovery_codes_user_id_idx ON recovery_codes (user_id);

-- Only SHA-256 of a 256-bit secret is kept. No address, no agent: a session is told by its times alone.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT,
    has_second_factor INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_uuid_key ON sessions (uuid);
CREATE UNIQUE INDEX sessions_hash_key ON sessions (hash);
CREATE INDEX sessions_user_id_idx ON sessions (user_id, id);

-- Guesses of passwords and codes. `bucket` is a keyed hash: of the name that was tried, whether anybody has it or not,
-- or of one device that its owner signed in on before. `failed_at` is written for every wrong guess, for a name that
-- nobody has as well: it makes both take as long. After `forgotten_at` a row says nothing any more.
CREATE TABLE sign_in_failures (
    bucket BLOB NOT NULL PRIMARY KEY,
    n_guesses INTEGER NOT NULL,
    counted_at TEXT NOT NULL,
    next_at TEXT NOT NULL,
    forgotten_at TEXT NOT NULL,
    failed_at TEXT
) STRICT;
CREATE INDEX sign_in_failures_forgotten_at_idx ON sign_in_failures (forgotten_at);
