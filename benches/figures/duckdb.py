"""Answers the bench's questions from DuckDB: one question a line on standard input, one JSON answer a line.

argv: the CSV of the rows, a file in memory that COPY may write. Countries, months, statuses and categories are ENUMs and
the categories a list, all made before the clock starts: of the layouts tried, the fastest for these questions.
"""

import json
import sys
import time

import duckdb

MEASURES = ["killed", "injured", "missing", "detained", "displaced", "sexual_violence_survivors", "affected_total"]
WHERE = {
    "all": "true",
    "filtered": "status = 'verified' AND first_day >= DATE '2022-01-01' AND last_day <= DATE '2023-12-31'"
    " AND country IN ('SLE', 'COD', 'CAF') AND lon BETWEEN -12 AND 24 AND lat BETWEEN -8 AND 8",
}
SUMS = {
    "full": ", sum(reports) AS reports, "
    + ", ".join(f"sum({m}_min) AS {m}_min, sum({m}_max) AS {m}_max, count({m}_min) AS {m}_stated" for m in MEASURES),
    "lean": "",
}


def load(path):
    db = duckdb.connect()
    harm = ", ".join(f"{m}_min INTEGER, {m}_max INTEGER" for m in MEASURES)
    db.execute(
        "CREATE TABLE lines (id BIGINT, country VARCHAR, first_day DATE, last_day DATE, month VARCHAR, status VARCHAR,"
        f" lon DOUBLE, lat DOUBLE, reports INTEGER, categories VARCHAR, {harm})"
    )
    db.execute(f"COPY lines FROM '{path}' (FORMAT CSV, NULLSTR '')")
    for name in ("country", "month", "status"):
        db.execute(f"CREATE TYPE {name}_code AS ENUM (SELECT DISTINCT {name} FROM lines ORDER BY 1)")
    db.execute("CREATE TYPE category_code AS ENUM (SELECT DISTINCT unnest(string_split(categories, ' ')) FROM lines ORDER BY 1)")
    db.execute(
        "CREATE TABLE rows AS SELECT * REPLACE (country::country_code AS country, month::month_code AS month,"
        " status::status_code AS status, string_split(categories, ' ')::category_code[] AS categories) FROM lines"
    )
    db.execute("DROP TABLE lines")
    return db


def cells(rows, figures):
    return (
        f"SELECT country, month, category, count(*) AS incidents{SUMS[figures]}"
        f" FROM (SELECT *, unnest(categories) AS category FROM rows WHERE {WHERE[rows]}) GROUP BY country, month, category"
    )


def seconds(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


db, memory_file = load(sys.argv[1]), sys.argv[2]
for line in sys.stdin:
    rows, figures, wanted = line.split()
    query = cells(rows, figures)
    if wanted == "cells":
        answer = db.execute(query).fetchall()
    else:
        answer = {
            "to_json": seconds(lambda: db.execute(f"SELECT to_json(list(c))::VARCHAR FROM ({query}) c").fetchone()),
            "copy": seconds(lambda: db.execute(f"COPY ({query}) TO '{memory_file}' (FORMAT JSON, ARRAY true)")),
        }
    print(json.dumps(answer, default=int), flush=True)
