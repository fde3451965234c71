-- Releases: what the public sees, in tables of their own. A release is written once, as a draft; what becomes of it stands in
-- rows beside it. No row of these tables is ever changed or removed: what was published cannot be taken back, only no longer
-- shown.
CREATE TABLE releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    -- Months such as 2024-03.
    first_month TEXT NOT NULL,
    last_month TEXT NOT NULL,
    -- The rule: fewest incidents, fewest senders.
    k INTEGER NOT NULL,
    senders INTEGER NOT NULL,
    -- The release whose shape it goes on with; none for the first.
    based_on INTEGER REFERENCES releases (id),
    built_by BLOB NOT NULL,
    built_at TEXT NOT NULL,
    n_atoms INTEGER NOT NULL,
    -- Of the file of all atoms, in hexadecimal.
    sha256 TEXT NOT NULL,
    -- How many incidents are in no atom, by reason, as JSON; for coordinators.
    left_out TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX releases_uuid_key ON releases (uuid);

-- What is told as one figure. Codes are separated by spaces; an atom of a later release has the position it had before.
CREATE TABLE release_atoms (
    release_id INTEGER NOT NULL REFERENCES releases (id),
    position INTEGER NOT NULL,
    country TEXT NOT NULL,
    places TEXT NOT NULL,
    times TEXT NOT NULL,
    categories TEXT NOT NULL,
    -- Null where it may not be told.
    incidents INTEGER,
    -- Whether the figure is the former one, because the new one differs too little.
    is_kept INTEGER NOT NULL,
    -- Why place, time and category are no finer.
    folded TEXT NOT NULL,
    PRIMARY KEY (release_id, position)
) STRICT, WITHOUT ROWID;

-- The second person's word: from then on it is published.
CREATE TABLE release_approvals (
    release_id INTEGER NOT NULL PRIMARY KEY REFERENCES releases (id),
    version INTEGER NOT NULL,
    approved_by BLOB NOT NULL,
    approved_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX release_approvals_version_key ON release_approvals (version);

-- What is no longer shown: all of a release, or these months of it. The reason is sealed under the row's uuid.
CREATE TABLE release_withdrawals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    release_id INTEGER NOT NULL REFERENCES releases (id),
    first_month TEXT,
    last_month TEXT,
    withdrawn_by BLOB NOT NULL,
    withdrawn_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX release_withdrawals_uuid_key ON release_withdrawals (uuid);
CREATE INDEX release_withdrawals_release_id_idx ON release_withdrawals (release_id);

CREATE TRIGGER releases_no_update BEFORE UPDATE ON releases BEGIN
    SELECT RAISE(ABORT, 'what was released is never changed');
END;
CREATE TRIGGER releases_no_delete BEFORE DELETE ON releases BEGIN
    SELECT RAISE(ABORT, 'what was released is never deleted');
END;
CREATE TRIGGER release_atoms_no_update BEFORE UPDATE ON release_atoms BEGIN
    SELECT RAISE(ABORT, 'what was released is never changed');
END;
CREATE TRIGGER release_atoms_no_delete BEFORE DELETE ON release_atoms BEGIN
    SELECT RAISE(ABORT, 'what was released is never deleted');
END;
CREATE TRIGGER release_approvals_no_update BEFORE UPDATE ON release_approvals BEGIN
    SELECT RAISE(ABORT, 'what was released is never changed');
END;
CREATE TRIGGER release_approvals_no_delete BEFORE DELETE ON release_approvals BEGIN
    SELECT RAISE(ABORT, 'what was released is never deleted');
END;
CREATE TRIGGER release_withdrawals_no_update BEFORE UPDATE ON release_withdrawals BEGIN
    SELECT RAISE(ABORT, 'what was released is never changed');
END;
CREATE TRIGGER release_withdrawals_no_delete BEFORE DELETE ON release_withdrawals BEGIN
    SELECT RAISE(ABORT, 'what was released is never deleted');
END;
