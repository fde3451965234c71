ALTER TABLE reports DROP COLUMN admin2;
DELETE FROM heads WHERE name = 'packs';
DROP TABLE boundary_packs;
