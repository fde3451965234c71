-- Incidents that may tell of one event, found by a worker after the commit.

-- Where an incident is looked for by others: one row a block, which is a cell of resolution 5, a country, or those of a
-- country without a point; what lasted more than a day is in a block beside. No more days than a month: what is told
-- coarser, or not at all, stands with the month before it came in.
CREATE TABLE duplicate_blocks (
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    block TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    PRIMARY KEY (incident_id, block)
) STRICT;
CREATE INDEX duplicate_blocks_block_idx ON duplicate_blocks (block, first_day, incident_id, last_day);

-- Two incidents, the lower row id first, that are likely one: how likely in hundredths, and veiled how far apart they are,
-- how alike their texts. `rules` is the version of the rules that say so.
CREATE TABLE duplicate_pairs (
    low_id INTEGER NOT NULL REFERENCES incidents (id),
    high_id INTEGER NOT NULL REFERENCES incidents (id),
    score INTEGER NOT NULL,
    figures_veiled BLOB NOT NULL,
    rules INTEGER NOT NULL,
    computed_at TEXT NOT NULL,
    PRIMARY KEY (low_id, high_id)
) STRICT;
CREATE INDEX duplicate_pairs_high_id_idx ON duplicate_pairs (high_id, low_id);

-- Incidents in whose blocks there were more than are looked at, so that some duplicates may be missing.
CREATE TABLE duplicate_floods (
    incident_id INTEGER NOT NULL PRIMARY KEY REFERENCES incidents (id)
) STRICT;

-- What a reviewer said is not one. Rows stay; the reason is sealed under the row's uuid. Of one pair at most one is in force.
CREATE TABLE duplicate_dismissals (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    low_id INTEGER NOT NULL REFERENCES incidents (id),
    high_id INTEGER NOT NULL REFERENCES incidents (id),
    dismissed_by BLOB NOT NULL,
    dismissed_at TEXT NOT NULL,
    undone_by BLOB,
    undone_at TEXT
) STRICT;
CREATE UNIQUE INDEX duplicate_dismissals_uuid_key ON duplicate_dismissals (uuid);
CREATE UNIQUE INDEX duplicate_dismissals_pair_key ON duplicate_dismissals (low_id, high_id) WHERE undone_at IS NULL;
CREATE INDEX duplicate_dismissals_high_id_idx ON duplicate_dismissals (high_id);

-- The change up to which duplicates were looked for, and who of several servers goes on from there. It moves in the
-- transaction that stores what was found; a turn that was not given back ends by itself. From the first change on, so
-- that what was there before is looked at too.
CREATE TABLE duplicate_turns (
    name TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    incident_id INTEGER NOT NULL,
    held_by BLOB,
    held_until TEXT
) STRICT;
INSERT INTO duplicate_turns (name, seq, incident_id) VALUES ('duplicates', 0, 0);
