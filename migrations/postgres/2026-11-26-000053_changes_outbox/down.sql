DELETE FROM heads WHERE name = 'notices';
DROP TABLE notices;
DROP TABLE outbox;
DROP TABLE webhooks;
DROP TABLE incident_departures;
