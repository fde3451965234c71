#!/usr/bin/env python3
"""Draws how many verified incidents each month had, by theme, from a Sentinelle feed.

    SENTINELLE_FEED_KEY=snt_f_... months.py https://reports.example.org months.png

The feed key (`sentinelle token add NAME --feed`, or POST /v1/tokens) only reads; keep it out of the script. Needs Python
3.9 and matplotlib.
"""

import base64
import collections
import csv
import io
import os
import sys
import urllib.request

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def read_feed(url, key):
    """Returns the rows of a CSV feed. The key is the password of HTTP Basic; the name does not matter."""
    password = base64.b64encode(f"feed:{key}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {password}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return list(csv.DictReader(io.StringIO(answer.read().decode("utf-8-sig"))))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    server, picture = sys.argv[1].rstrip("/"), sys.argv[2]
    rows = read_feed(f"{server}/v1/aggregates.csv?by=month,theme", os.environ["SENTINELLE_FEED_KEY"])

    # A cell without a month holds incidents whose date is not known to the month; "total" counts each incident once,
    # while one with categories of two themes is in two cells.
    counts = collections.defaultdict(dict)
    for row in rows:
        if row["row"] == "cell" and row["month"] and row["theme"]:
            counts[row["theme"]][row["month"]] = int(row["incidents"])
    months = sorted({month for by_month in counts.values() for month in by_month})
    total = next(int(row["incidents"]) for row in rows if row["row"] == "total")
    undated = sum(int(row["incidents"]) for row in rows if row["row"] == "cell" and not row["month"])

    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    for theme, style in zip(sorted(counts), ("-", "--", ":", "-.")):
        axes.plot(months, [counts[theme].get(month, 0) for month in months], style, label=theme)
    axes.set_title(f"Verified incidents by month ({total} in all, {undated} not dated to the month)")
    axes.set_ylabel("incidents")
    axes.set_ylim(bottom=0)
    step = max(1, len(months) // 12)
    axes.set_xticks(months[::step])
    axes.tick_params(axis="x", rotation=45)
    axes.legend(frameon=False)
    figure.savefig(picture, dpi=120)
    print(f"{total} incidents, {len(months)} months: {picture}")


if __name__ == "__main__":
    main()
