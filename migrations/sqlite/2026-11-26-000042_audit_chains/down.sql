-- The entries are kept, without what ties them together.
INSERT INTO unchained_audit_entries (at, actor, action, subject_kind, subject_id, detail)
SELECT at, actor, action, subject_kind, subject_id, detail FROM audit_entries ORDER BY at, chain, position;
DROP TABLE audit_chains;
DROP TABLE audit_entries;
ALTER TABLE unchained_audit_entries RENAME TO audit_entries;
CREATE INDEX audit_entries_subject_id_idx ON audit_entries (subject_id, id);
CREATE INDEX audit_entries_actor_idx ON audit_entries (actor, id);
