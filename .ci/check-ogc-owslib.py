"""Reads the maps of a server as OWSLib does and compares every count with /v1/aggregates. Usage: check-ogc-owslib.py URL"""

import os
import sys

import requests
from owslib.ogcapi.features import Features
from owslib.util import Authentication

server, key = sys.argv[1].rstrip("/"), os.environ["SENTINELLE_FEED_KEY"]
service = Features(f"{server}/ogc", auth=Authentication(username="feed", password=key))


def counted(**query):
    """The incidents that /v1/aggregates counts."""
    answer = requests.get(f"{server}/v1/aggregates", params=query, auth=("feed", key), timeout=30)
    answer.raise_for_status()
    return answer.json()["total"]["incidents"]


def check(name, right, found):
    """Ends the program when a number is wrong."""
    if right != found:
        sys.exit(f"check-ogc: OWSLib {name}: {found}, and right is {right}")
    print(f"check-ogc: OWSLib {name}: {right}")


def matched(**query):
    """The incidents that match on all pages."""
    return service.collection_items("incidents", **query)["numberMatched"]


check("collections", ["incidents", "sites", "areas"], service.feature_collections())
check("OpenAPI", "3.0.3", service.api()["openapi"])
assert any(one.endswith("/ogcapi-features-3/1.0/conf/filter") for one in service.conformance()["conformsTo"])
queryables = service.collection_queryables("incidents")
check("queryables", "integer", queryables["properties"]["severity"]["type"])
assert service.collection("incidents")["storageCrs"].endswith("CRS84")

total = counted()
check("all", total, matched())
check("country", counted(country="SLE"), matched(country="SLE"))
check("filter by country", counted(country="SLE,COD"), matched(filter="country IN ('SLE', 'COD')"))
check("filter by status", counted(status="received"), matched(filter="CASEI(status) = CASEI('Received')"))
check("filter by severity", counted(severity="4,5"), matched(filter="severity BETWEEN 4 AND 5"))
check("filter by theme", counted(theme="rights"), matched(filter="themes LIKE '%rights%'"))
check("filter by box", counted(bbox="-14,6,-10,10"), matched(filter="S_INTERSECTS(geometry, BBOX(-14,6,-10,10))"))
box = counted(bbox="-14,6,-10,10") + counted(mapped="false")
check("box, and what is in none", box, matched(bbox=[-14, 6, -10, 10]))
check("days", total, matched(datetime_="../.."))

page = service.collection_items("incidents", limit=10)
first, ids = page["features"][0], [feature["id"] for feature in page["features"]]
while True:
    following = [link["href"] for link in page["links"] if link["rel"] == "next"]
    if not following:
        break
    answer = requests.get(following[0], auth=("feed", key), timeout=30)
    answer.raise_for_status()
    page = answer.json()
    ids += [feature["id"] for feature in page["features"]]
check("pages", total, len(ids))
check("none twice", total, len(set(ids)))
check("item", first["id"], service.collection_item("incidents", first["id"])["id"])
