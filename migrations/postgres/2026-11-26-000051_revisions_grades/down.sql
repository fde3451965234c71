DROP TABLE override_history;
DROP TABLE report_grades;
DROP TABLE report_revisions;
