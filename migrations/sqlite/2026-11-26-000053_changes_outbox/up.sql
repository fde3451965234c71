-- What others are told of changes: a copy of incidents kept elsewhere, webhooks, mail.

-- An incident that is no longer seen from a country, since its own changed: whoever keeps a copy there must take it out,
-- and can no longer be shown where it went. `seq` is that of the transaction, put in as its last act.
CREATE TABLE incident_departures (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incidents (id),
    country TEXT NOT NULL,
    seq INTEGER
) STRICT;
CREATE INDEX incident_departures_seq_idx ON incident_departures (seq);
CREATE INDEX incident_departures_incident_id_idx ON incident_departures (incident_id);

-- Where a person has changes sent to. Address and secret are sealed under the row's uuid. `position` is the change up to
-- which events were put into the outbox; it moves in the transaction that puts them there, so that no change is left out
-- and none is sent for what was never committed. `scope` and `kinds` are lists of codes; `state` is active, paused (by
-- its owner), failing (an event could not be delivered) or gone (the receiver said so).
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    uuid BLOB NOT NULL,
    owner_id INTEGER NOT NULL REFERENCES users (id),
    scope TEXT NOT NULL,
    kinds TEXT NOT NULL,
    state TEXT NOT NULL,
    position INTEGER NOT NULL,
    address_version INTEGER NOT NULL,
    secret_version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    failed_at TEXT,
    failure TEXT
) STRICT;
CREATE UNIQUE INDEX webhooks_uuid_key ON webhooks (uuid);
CREATE INDEX webhooks_owner_id_idx ON webhooks (owner_id);

-- What is to be sent, as it is sent on every try: ids and codes alone. `state` is pending, sent, dead (given up) or
-- dropped (its owner may no longer see it). A server that takes one puts `next_at` ahead, so that another takes it only
-- when the first died.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id),
    event BLOB NOT NULL,
    seq INTEGER NOT NULL,
    country TEXT NOT NULL,
    country_other TEXT,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    n_tries INTEGER NOT NULL,
    next_at TEXT NOT NULL,
    done_at TEXT
) STRICT;
CREATE UNIQUE INDEX outbox_webhook_id_event_key ON outbox (webhook_id, event);
-- The first that waits for a webhook, and whether it is due.
CREATE INDEX outbox_pending_idx ON outbox (webhook_id, id) WHERE state = 'pending';
CREATE INDEX outbox_done_at_idx ON outbox (done_at);

-- One row a person who wants mail, whose address is sealed under their id: what they are to be told is that something is
-- new, so any number of changes is one mail. `wanted_at` is since when, `taken_at` while a server sends it.
CREATE TABLE notices (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    language TEXT NOT NULL,
    address_version INTEGER NOT NULL,
    wanted_at TEXT,
    is_urgent INTEGER NOT NULL,
    taken_at TEXT,
    n_tries INTEGER NOT NULL,
    next_at TEXT NOT NULL,
    sent_at TEXT,
    failed_at TEXT
) STRICT;
CREATE INDEX notices_next_at_idx ON notices (next_at);
-- The change up to which it was told who is to get a notice; what was before has been seen.
INSERT INTO heads (name, seq) SELECT 'notices', seq FROM heads WHERE name = 'changes';
