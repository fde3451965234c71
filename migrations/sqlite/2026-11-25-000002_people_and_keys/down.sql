DROP TABLE audit_entries;
DROP TABLE devices;
DROP TABLE tokens;
DROP TABLE grants;
DROP TABLE users;
