#!/usr/bin/env python3
"""Builds a coalition on a Sentinelle instance, by its API alone.

Fifteen organisations in ten countries, three regions and an international one, a lead for each, a reviewer and two
monitors with a phone for each country, an analyst, and a second coordinator. All names are invented: put your own into
the tables below. Needs Python 3.9 and nothing else.

On a new instance, with the link that the server printed at its first start:

    build_coalition.py https://reports.example.org --setup snt_i_... --name "A. Coordinator" --secrets secrets.json

Later, as a coordinator who holds a token:

    build_coalition.py https://reports.example.org --token snt_u_... --secrets secrets.json

What is there already is left as it is and counted, so running it twice does nothing twice. Links, phone keys and, at the
first start, your second factor are shown nowhere but in the file given by --secrets: hand them out by a safe way, then
delete it.
"""

import argparse
import base64
import getpass
import hashlib
import hmac
import json
import os
import pathlib
import struct
import sys
import time
import urllib.error
import urllib.request

# code: English name, French name, level, countries. `regional` ones are what counts are made by.
REGIONS = {
    "southern": ("Southern Africa", "Afrique australe", "regional", ["BWA", "ZWE", "LSO", "AGO", "NAM", "ZAF"]),
    "central": ("Central Africa", "Afrique centrale", "regional", ["COD", "CMR", "CAF", "COG", "GAB"]),
    "west": ("West Africa", "Afrique de l'Ouest", "regional", ["SLE", "LBR", "GIN", "CIV", "GHA", "TGO", "MLI"]),
    "international": ("International", "International", "international",
                      ["BWA", "ZWE", "LSO", "COD", "CMR", "CAF", "SLE", "LBR", "GIN", "CIV"]),
}

# name, country (None: international), membership.
ORGANISATIONS = [
    ("Pan Watch Botswana", "BWA", "member"),
    ("Gravel Rights Zimbabwe", "ZWE", "member"),
    ("Highland Stones Lesotho", "LSO", "member"),
    ("Voix des Creuseurs", "COD", "member"),
    ("Kasaï Transparence", "COD", "member"),
    ("Forêt et Pierre", "CMR", "member"),
    ("Observatoire des Carrières", "CAF", "member"),
    ("Kono Pit Watch", "SLE", "member"),
    ("Sewa River Forum", "SLE", "member"),
    ("Lofa Diggers' Forum", "LBR", "member"),
    ("Guinée Sous-Sol", "GIN", "member"),
    ("Terre de Tortiya", "CIV", "member"),
    ("Two Rivers Institute", None, "observer"),
    ("Open Facet Network", None, "observer"),
    ("Savannah Miners' Union", "TZA", "candidate"),
]

# region: name of its lead, what the lead follows.
LEADS = {
    "southern": ("Lead of the South", ["lead_governance", "watch_kp_wgs"]),
    "central": ("Lead of the Centre", ["lead_environment", "watch_kp_wgaap"]),
    "west": ("Lead of the West", ["lead_rights", "watch_kp_wgm"]),
    "international": ("Lead at Large", ["watch_kp_cpc", "watch_kp_crp", "watch_kp_ahcrr"]),
}

COUNTRIES = ["BWA", "ZWE", "LSO", "COD", "CMR", "CAF", "SLE", "LBR", "GIN", "CIV"]
MONITORS_PER_COUNTRY = 2


class Refused(Exception):
    """The server said no, and why."""


class Server:
    """Speaks JSON to one server, as one person."""

    def __init__(self, url, token=None):
        self.url, self.token = url.rstrip("/"), token

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text else None

    def every(self, path):
        """Returns all items of a list, page after page."""
        items, cursor = [], ""
        while cursor is not None:
            page = self.ask("GET", f"{path}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            items += page["items"]
            cursor = page.get("next")
        return items


def one_time_code(secret):
    """Returns what an authenticator shows now for a secret in base32 (RFC 6238: SHA-1, 30 seconds, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    step = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(key, step, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start:start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def set_up(url, link, name, password, secrets):
    """Makes the first coordinator, signs in and sets a second factor up. Returns the server as that coordinator."""
    server = Server(url)
    server.ask("POST", "/v1/setup", {"token": link, "name": name, "password": password, "cookie": False})
    begun = server.ask("POST", "/v1/sessions", {"name": name, "password": password, "cookie": False})
    server.token = begun["session"]
    factor = server.ask("POST", "/v1/me/second-factor", {"password": password})
    done = server.ask("PUT", "/v1/me/second-factor", {"code": one_time_code(factor["secret"])})
    secrets.keep("second_factor", name, {"secret": factor["secret"], "recovery_codes": done["recovery_codes"]})
    server.token = done["session"]["session"]
    return server


class Secrets:
    """What is shown once, written to a file that its owner alone reads, before anything else is asked."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.kept = json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, kind, name, secret):
        self.kept.setdefault(kind, {})[name] = secret
        part = self.path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self.kept, file, indent=1, ensure_ascii=False)
        part.replace(self.path)


class Builder:
    """Adds what is missing and counts what is there."""

    def __init__(self, server, secrets):
        self.server, self.secrets = server, secrets
        self.made, self.found = {}, {}
        self.organisations = {one["name"]: one["id"] for one in server.every("/v1/organisations")}
        self.people = {one.get("name"): one["id"] for one in server.every("/v1/users")}
        self.phones = {one["name"] for one in server.every("/v1/devices") if not one["revoked_at"]}

    def count(self, what, is_new):
        tally = self.made if is_new else self.found
        tally[what] = tally.get(what, 0) + 1

    def region(self, code, region):
        name_en, name_fr, level, countries = region
        known = {one["code"]: one for one in self.server.ask("GET", "/v1/regions")["items"]}
        wanted = {"name_en": name_en, "name_fr": name_fr, "level": level, "countries": sorted(countries)}
        is_there = known.get(code) == {"code": code, **wanted}
        if not is_there:
            self.server.ask("PUT", f"/v1/regions/{code}", wanted)
        self.count("regions", not is_there)

    def organisation(self, name, country, membership):
        is_new = name not in self.organisations
        if is_new:
            body = {"name": name, "country": country, "membership": membership}
            self.organisations[name] = self.server.ask("POST", "/v1/organisations", body)["id"]
        self.count("organisations", is_new)

    def person(self, name, role, scope, organisation=None, tags=()):
        """Invites a person. The link is in the secrets."""
        is_new = name not in self.people
        if is_new:
            grant = {"role": role, "scope": scope, "tags": list(tags)}
            body = {"name": name, "organisation": self.organisations.get(organisation), "grants": [grant]}
            invited = self.server.ask("POST", "/v1/users", body)
            self.secrets.keep("invitations", name, invited["invitation"])
            self.people[name] = invited["id"]
        self.count("people", is_new)

    def phone(self, name, country, owner, organisation):
        """Adds a phone. Its key, and the code for ODK Collect, are in the secrets."""
        is_new = name not in self.phones
        if is_new:
            body = {"name": name, "country": country, "owner": self.people[owner],
                    "organisation": self.organisations[organisation]}
            added = self.server.ask("POST", "/v1/devices", body)
            self.secrets.keep("phones", name, {"key": added["key"], "qr_svg": added["settings_qr"]})
            self.phones.add(name)
        self.count("phones", is_new)


def build(builder):
    """Builds the coalition of the tables above."""
    for code, region in REGIONS.items():
        builder.region(code, region)
    for organisation in ORGANISATIONS:
        builder.organisation(*organisation)
    # Two coordinators, so that one can help when the other has lost a password or a phone.
    builder.person("Second Coordinator", "coordinator", "all")
    builder.person("Analyst of the Coalition", "analyst", "all")
    for code, (name, tags) in LEADS.items():
        builder.person(name, "regional_lead", f"region:{code}", tags=tags)
    for country in COUNTRIES:
        organisation = next(name for name, where, _ in ORGANISATIONS if where == country)
        builder.person(f"Reviewer {country}", "reviewer", country, organisation)
        for number in range(1, MONITORS_PER_COUNTRY + 1):
            monitor = f"Monitor {country} {number}"
            builder.person(monitor, "monitor", country, organisation)
            builder.phone(f"Phone {country} {number}", country, monitor, organisation)


def read_arguments():
    parser = argparse.ArgumentParser(description="Builds a coalition on a Sentinelle instance.")
    parser.add_argument("url", help="where the instance is, such as https://reports.example.org")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--setup", metavar="LINK", help="the link printed at the first start")
    how.add_argument("--token", help="a coordinator's token or session")
    parser.add_argument("--name", help="with --setup: the name of the first coordinator")
    parser.add_argument("--password-file", help="with --setup: read the password from there instead of asking")
    parser.add_argument("--secrets", required=True, metavar="FILE", help="where links and keys are written to")
    arguments = parser.parse_args()
    if arguments.setup and not arguments.name:
        parser.error("--setup needs --name")
    return arguments


def main():
    arguments = read_arguments()
    secrets = Secrets(arguments.secrets)
    try:
        if arguments.setup:
            path = arguments.password_file
            password = pathlib.Path(path).read_text().strip() if path else getpass.getpass("Password: ")
            server = set_up(arguments.url, arguments.setup, arguments.name, password, secrets)
        else:
            server = Server(arguments.url, arguments.token)
        builder = Builder(server, secrets)
        build(builder)
    except Refused as refusal:
        sys.exit(f"{refusal}\nWhat was made so far stays; run it again with --token to go on.")
    print(json.dumps({"made": builder.made, "there_already": builder.found}))


if __name__ == "__main__":
    main()
