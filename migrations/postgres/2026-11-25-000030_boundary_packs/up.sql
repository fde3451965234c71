-- Areas change by law and free shapes lag behind, so whoever runs an instance imports better ones. They lie in the
-- database and not beside it: every server on it places a point alike, and a backup has them. One pack a country and
-- level; `content` is gzipped JSON with rings as steps of 1e-4 degrees. Packs of one file share their `import_id`.
CREATE TABLE boundary_packs (
    country TEXT NOT NULL,
    level SMALLINT NOT NULL,
    import_id UUID NOT NULL,
    source TEXT NOT NULL,
    year INTEGER NOT NULL,
    licence TEXT NOT NULL,
    file_sha256 BYTEA NOT NULL,
    n_areas INTEGER NOT NULL,
    imported_at TIMESTAMP NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (country, level)
);
-- Rises with every import and removal: by it a running server notices that its areas are old.
INSERT INTO heads (name, seq) VALUES ('packs', 0);

-- The second-level area of a report, as its incident has had all along.
ALTER TABLE reports ADD COLUMN admin2 TEXT;
