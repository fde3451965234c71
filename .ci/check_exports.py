"""Compares what was exported with the counts, as the programs of .ci/check-exports read it."""

import csv
import json
import pathlib
import sys

import duckdb
import pyarrow.parquet

folder = pathlib.Path(sys.argv[1])
counts = json.loads((folder / "counts.json").read_text())
by_country = {cell["country"]: cell["incidents"] for cell in counts["cells"] if cell["incidents"]}
total, n_reports = counts["total"]["incidents"], counts["total"]["reports"]


def check(found, right, what):
    if found != right:
        sys.exit(f"check-exports: {what}: {found}, not {right}")


def lines(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


for lang in ("en", "fr"):
    for table, n_rows in (("incidents", total), ("reports", n_reports)):
        path = folder / f"{table}.{lang}.parquet"
        check(pyarrow.parquet.read_table(path).num_rows, n_rows, f"pyarrow, {path.name}")
        for extension in ("parquet", "ndjson"):
            path = folder / f"{table}.{lang}.{extension}"
            found = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]
            check(found, n_rows, f"DuckDB, {path.name}")
    path = folder / f"incidents.{lang}.parquet"
    found = dict(duckdb.sql(f"SELECT country, count(*) FROM '{path}' GROUP BY country").fetchall())
    check(found, by_country, f"DuckDB by country, {path.name}")
    path = folder / f"aggregates.{lang}.parquet"
    found = dict(duckdb.sql(f"SELECT country, incidents FROM '{path}' WHERE incidents > 0").fetchall())
    check(found, by_country, f"DuckDB, {path.name}")
    killed = duckdb.sql(f"SELECT sum(killed_min)::BIGINT FROM '{folder}/incidents.{lang}.parquet'").fetchall()[0][0]
    check(killed, counts["total"]["killed"]["min"], "DuckDB, people killed")
    for table in ("harm", "actors", "reports"):
        orphans = duckdb.sql(
            f"SELECT count(*) FROM '{folder}/{table}.{lang}.parquet' WHERE incident_id NOT IN "
            f"(SELECT id FROM '{folder}/incidents.{lang}.parquet')"
        ).fetchall()[0][0]
        check(orphans, 0, f"keys of {table} that lead nowhere")

header, _, *rows = lines(folder / "hxl_counts.csv")
check({row[0]: int(row[1]) for row in rows}, by_country, "hxlcount by country")
header, tags, *rows = lines(folder / "hxl_countries.csv")
at = tags.index("#event+num"), tags.index("#country+code+v_iso3")
check({row[at[1]]: int(row[at[0]]) for row in rows if row[at[0]] != "0"}, by_country, "HXL by country")

N_SHEETS = 0
for path in sorted(folder.glob("shown*/*.csv")):
    text = path.read_text(encoding="utf-8-sig")
    table, lang = path.name.split(".")[:2]
    for broken in ("Ã", "Â", "\ufffd", "_x00", "#NAME?", "#REF!", "Err:"):
        if broken in text:
            sys.exit(f"check-exports: LibreOffice shows {broken} in {path.parent.name}/{path.name}")
    shown = lines(path)
    formulas = [cell for line in shown for cell in line if cell.startswith(("=", "@", "+"))]
    check(formulas, [], f"formulas in {path.parent.name}/{path.name}")
    written = duckdb.sql(f"SELECT count(*) FROM '{folder}/{table}.{lang}.parquet'").fetchall()[0][0]
    check(len(shown) - 1, written, f"rows that LibreOffice shows of {path.parent.name}/{path.name}")
    if table == "incidents" and by_country.get("CIV"):
        name = "Côte d’Ivoire" if "Côte d’Ivoire" in text else "Côte d'Ivoire"
        if name not in text:
            sys.exit(f"check-exports: no Côte d'Ivoire in {path.parent.name}/{path.name}")
    N_SHEETS += 1
check(N_SHEETS, 20, "sheets that LibreOffice opened")
print(f"check-exports: {total} incidents, {n_reports} reports, {N_SHEETS} sheets")
