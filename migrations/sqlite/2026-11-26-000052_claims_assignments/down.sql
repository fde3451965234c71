DROP INDEX decisions_decided_by_idx;
DROP TABLE bulk_rejected;
DROP TABLE bulk_rejections;
DROP TABLE case_moves;
DROP TABLE incident_assignees;
DROP TABLE incident_claims;
