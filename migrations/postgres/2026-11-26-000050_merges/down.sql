DROP TABLE regrouped_incidents;
DROP TABLE regrouped_reports;
DROP TABLE regroupings;
