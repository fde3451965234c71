-- The instance key can be changed while servers run. From the first to the last data key wrapped anew both the old and
-- the new key are in use, so each is stored wrapped by the other: whoever holds either opens everything, and a run that
-- is killed leaves nothing unreadable. When the last data key is under the new key both handovers are deleted: the old
-- key then opens nothing, and nothing opens the old key, so what lies about in old copies of `data_keys` is dead with it.
CREATE TABLE key_rotations (
    old_id TEXT NOT NULL PRIMARY KEY,
    new_id TEXT NOT NULL,
    state TEXT NOT NULL,
    new_by_old BLOB,
    old_by_new BLOB,
    begun_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE UNIQUE INDEX key_rotations_new_id_key ON key_rotations (new_id);
-- One at a time.
CREATE UNIQUE INDEX key_rotations_state_key ON key_rotations (state) WHERE state = 'running';

-- A server that slept through it all must not seal under a key that is retired: nobody could ever open that. The
-- database refuses, whatever program asks; the sender is told to try again, since nothing was stored.
CREATE TRIGGER data_keys_refuse_retired BEFORE INSERT ON data_keys
WHEN NEW.kek_id IN (SELECT old_id FROM key_rotations WHERE state = 'finished')
BEGIN
    SELECT RAISE(ABORT, 'the instance key is retired');
END;
CREATE TRIGGER instance_keys_refuse_retired BEFORE INSERT ON instance_keys
WHEN NEW.kek_id IN (SELECT old_id FROM key_rotations WHERE state = 'finished')
BEGIN
    SELECT RAISE(ABORT, 'the instance key is retired');
END;
