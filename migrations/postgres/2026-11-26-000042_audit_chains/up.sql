-- A log that cannot be edited quietly. Every entry is a leaf of a Merkle tree (RFC 9162) whose root is signed in the
-- transaction that appends, and carries the running hash of its chain, so that the first broken entry can be named. Each
-- writing server has a chain of its own: several servers share no lock, and their heads are published together.
--
-- The entries so far move into a chain when a server starts (`audit::adopt`); an entry knows its place by its chain and
-- position, and both are hashed with it, which a row number handed out by the database would not be.
ALTER TABLE audit_entries RENAME TO unchained_audit_entries;
ALTER INDEX audit_entries_pkey RENAME TO unchained_audit_entries_pkey;
DROP INDEX audit_entries_subject_id_idx;
DROP INDEX audit_entries_actor_idx;

CREATE TABLE audit_entries (
    chain INTEGER NOT NULL,
    position BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    actor UUID,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    -- `case`, `people` or `technical`: decides who reads it.
    domain TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- The countries whose reviewers read it.
    country TEXT,
    country_other TEXT,
    chained BYTEA NOT NULL,
    PRIMARY KEY (chain, position)
);
-- The order of lists; and the same order for each way in which an entry comes to be seen. Most entries have no actor and
-- few are technical, so those indexes hold only what they find.
CREATE INDEX audit_entries_at_idx ON audit_entries (at, chain, position);
CREATE INDEX audit_entries_subject_id_idx ON audit_entries (subject_id, at);
CREATE INDEX audit_entries_actor_idx ON audit_entries (actor, at, chain, position) WHERE actor IS NOT NULL;
CREATE INDEX audit_entries_country_idx ON audit_entries (country, at, chain, position) WHERE country IS NOT NULL;
CREATE INDEX audit_entries_country_other_idx ON audit_entries (country_other, at, chain, position) WHERE country_other IS NOT NULL;
CREATE INDEX audit_entries_technical_idx ON audit_entries (at, chain, position) WHERE domain = 'technical';

-- How far a chain has grown, what the next entry needs, and the signed head.
CREATE TABLE audit_chains (
    chain INTEGER NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    -- Roots of the full subtrees, 32 bytes each, the largest first.
    peaks BYTEA NOT NULL,
    root BYTEA NOT NULL,
    chained BYTEA NOT NULL,
    signed_at TIMESTAMP NOT NULL,
    signature BYTEA NOT NULL
);

-- Against mistakes and hasty hands. Whoever may drop a trigger can pass it: what they change then, the signed heads tell.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit log are never changed or deleted';
END
$$;
CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
