//! OGC API Features at `/ogc`: what the standards ask, what maps send, and what nobody finds out there.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod asking;
mod clients;
mod core;
mod crs;
mod filters;
mod secrecy;

use sentinelle::auth::types::Role;
use serde_json::{Map, Value};

use crate::harness::{Answer, Client, TestApp, submit_march};

pub(crate) const ITEMS: &str = "/ogc/collections/incidents/items";
const COLLECTIONS: [&str; 3] = ["incidents", "sites", "areas"];

/// The twelve reports of March with an analyst of every country, and the submissions by key.
fn march() -> (TestApp, Client, Map<String, Value>) {
    let app = TestApp::start();
    let submitted = submit_march(&app.monitor(), &app.reviewer());
    let analyst = app.user(Role::Analyst, "all");
    (app, analyst, submitted)
}

/// Percent-encodes a value of a query.
fn encode(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

/// Asks for incidents.
#[track_caller]
fn items(client: &Client, query: &str) -> Value {
    client.get(&format!("{ITEMS}?{query}")).expect(200).json()
}

/// How many incidents match.
#[track_caller]
fn matched(client: &Client, query: &str) -> u64 {
    items(client, query)["numberMatched"].as_u64().expect("a number")
}

/// How many incidents a filter in CQL2 keeps, of every status.
#[track_caller]
fn filtered(client: &Client, filter: &str) -> u64 {
    matched(client, &format!("status=all&filter={}", encode(filter)))
}

fn features(page: &Value) -> Vec<Value> {
    page["features"].as_array().expect("features").clone()
}

fn ids(page: &Value) -> Vec<String> {
    let id = |feature: &Value| feature["id"].as_str().expect("an id").to_owned();
    features(page).iter().map(id).collect()
}

/// The address of the link with this relation, below the server's address.
fn link<'a>(app: &TestApp, document: &'a Value, rel: &str) -> Option<&'a str> {
    let links = document["links"].as_array().expect("links");
    let link = links.iter().find(|link| link["rel"] == rel)?;
    assert!(link["type"].is_string(), "a link carries its media type: {link}");
    let href = link["href"].as_str().expect("an address");
    Some(href.strip_prefix(&app.url).expect("an address of this server"))
}

fn media_type(answer: &Answer) -> &str {
    answer.header("content-type").expect("a media type")
}

/// Follows `next` to the end; returns the ids of all pages.
fn walk(app: &TestApp, client: &Client, query: &str) -> Vec<String> {
    let mut path = format!("{ITEMS}?{query}");
    let mut found = Vec::new();
    loop {
        let page = client.get(&path).expect(200).json();
        found.extend(ids(&page));
        match link(app, &page, "next") {
            Some(next) => next.clone_into(&mut path),
            None => return found,
        }
    }
}
