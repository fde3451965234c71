-- Every revision of a report that its sender corrected, the first one too: what it said in codes, days and areas, as the
-- report's own row says it of the newest one, and the keyed hash by which a resend is recognised. The row of the report
-- keeps the hash of the first. Its text is sealed under the report with the revision as version. Deleted when the
-- report is erased.
CREATE TABLE report_revisions (
    report_id BIGINT NOT NULL REFERENCES reports (id),
    revision INTEGER NOT NULL,
    content_mac BYTEA NOT NULL,
    channel TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (report_id, revision)
);

-- How far a reviewer trusts the source of a report, A to F, and believes what it says, 1 to 6. The assessed grade of an
-- incident is a reviewer's word on a field of it, so it stands in `incident_overrides`.
CREATE TABLE report_grades (
    report_id BIGINT NOT NULL PRIMARY KEY REFERENCES reports (id),
    source_reliability TEXT NOT NULL,
    info_credibility SMALLINT NOT NULL
);

-- `incident_overrides` holds what stands; this what was said at each version, so that an earlier state can be told.
-- `value` is null where a word was taken back.
CREATE TABLE override_history (
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    version INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (incident_id, version, field)
);
-- What stands already was said at some version; the present one is the latest it can have been.
INSERT INTO override_history (incident_id, version, field, value)
    SELECT incident_overrides.incident_id, incidents.version, incident_overrides.field, incident_overrides.value
    FROM incident_overrides JOIN incidents ON incidents.id = incident_overrides.incident_id;
