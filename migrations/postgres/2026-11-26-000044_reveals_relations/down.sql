DROP TABLE incident_relations;
DROP TABLE reveals;
