//! Sends what is due: one event a time, on the thread of whoever calls.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::ids::EventId;
use crate::incidents::view::is_seen_from;
use crate::notify::address::Target;
use crate::notify::gate::Outcome;
use crate::notify::webhooks::acts;
use crate::notify::webhooks::outbox::{self, Taken};
use crate::notify::webhooks::store::{self, WebhookRow};
use crate::seal::envelope::Part;

/// Length of a secret in bytes; Standard Webhooks asks for 24 to 64.
pub const SECRET_BYTES: usize = 32;
/// What a secret begins with, as it is shown.
const SECRET_PREFIX: &str = "whsec_";

/// Returns a new secret.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_secret() -> Result<Zeroizing<[u8; SECRET_BYTES]>> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(secret.as_mut_slice()).map_err(Error::internal)?;
    Ok(secret)
}

/// Returns a secret as it is shown, once.
pub fn show_secret(secret: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(secret))
}

/// Returns the headers by which a receiver knows that an event is ours and which one it is.
///
/// # Source
/// Standard Webhooks 1.0: HMAC-SHA256 of `id.timestamp.body` by the secret's bytes, in base64 behind `v1,`.
pub fn headers(
    secret: &[u8],
    event: EventId,
    now: DateTime<Utc>,
    body: &str,
) -> Result<[(&'static str, String); 3]> {
    let (id, timestamp) = (event.to_string(), now.timestamp().to_string());
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).map_err(Error::internal)?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    Ok([("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)])
}

/// Sends the first event that is due, if there is one; tells whether there was.
///
/// # Errors
/// When the database fails; what was taken comes due again.
pub fn send_one(context: &Context) -> Result<bool> {
    let now = context.clock.now();
    // A look costs nothing; taking one is a commit.
    if !context.db.read_here(|conn| Ok(outbox::is_any_due(conn, now.naive_utc())?))? {
        return Ok(false);
    }
    let Some(taken) = context.db.write_here(move |tx| Ok(outbox::take(tx.conn, now)?))? else {
        return Ok(false);
    };
    let Some(webhook) = find_entitled(context, &taken, now)? else {
        let row_id = taken.row_id;
        context.db.write_here(move |tx| Ok(outbox::drop_event(tx.conn, row_id, now)?))?;
        context.notifier.counts.dropped.count();
        return Ok(true);
    };
    let outcome = post(context, &webhook, (taken.event, &taken.body))?;
    context.notifier.counts.webhook(outcome.is_taken());
    if let Some(failure) = outcome.failure() {
        tracing::warn!(webhook = %webhook.id, failure, n_tries = taken.n_tries, "a webhook was not taken");
    }
    let (now, chance) = (context.clock.now(), chance()?);
    context.db.write_here(move |tx| Ok(outbox::settle(tx.conn, &taken, outcome, now, chance)?))?;
    Ok(true)
}

/// Returns the webhook, if its owner may still have told of the country.
fn find_entitled(
    context: &Context,
    taken: &Taken,
    now: DateTime<Utc>,
) -> Result<Option<WebhookRow>> {
    context.db.read_here(|conn| {
        let Some(webhook) = store::find_by_row(conn, taken.webhook)? else {
            return Ok(None);
        };
        let scope = store::scope_now(conn, context, &webhook, now)?;
        let (country, other) = (&taken.country, taken.country_other.as_deref());
        let is_seen = is_seen_from(&scope, &context.geo(), country, other);
        Ok(is_seen.then_some(webhook))
    })
}

/// Signs and posts a body to the address of a webhook.
///
/// # Errors
/// When address or secret cannot be opened.
pub fn post(
    context: &Context,
    webhook: &WebhookRow,
    (event, body): (EventId, &str),
) -> Result<Outcome> {
    let (url, secret) = context.db.read_here(|conn| {
        let url = acts::open(conn, context, (webhook.id, Part::Address, webhook.address_version))?;
        let secret = acts::open(conn, context, (webhook.id, Part::Secret, webhook.secret_version))?;
        Ok((url, secret))
    })?;
    let url = std::str::from_utf8(&url).map_err(Error::internal)?;
    let gate = &context.notifier.gate;
    // Looked at anew: an operator may have forbidden since what was allowed then.
    let Ok(target) = Target::parse(url, gate.rules()) else {
        return Ok(Outcome::NotReached("address_refused"));
    };
    let headers = headers(&secret, event, context.clock.now(), body)?;
    Ok(gate.post(&target, &headers, body))
}

fn chance() -> Result<u16> {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use crate::ids::EventId;
    use crate::notify::webhooks::sender::{headers, show_secret};

    #[test]
    fn a_body_is_signed_as_standard_webhooks_says() {
        // Computed with Python's hmac and base64, apart from this code.
        let secret: Vec<u8> = (0..32).collect();
        let event = EventId::parse("7e4a6b0c-1d2e-8f30-9a4b-5c6d7e8f9012").unwrap();
        let at = DateTime::from_timestamp(1_711_972_800, 0).unwrap();

        let [id, timestamp, signature] =
            headers(&secret, event, at, "{\"type\":\"test\"}").unwrap().map(|(_, value)| value);

        assert_eq!(id, "7e4a6b0c-1d2e-8f30-9a4b-5c6d7e8f9012");
        assert_eq!(timestamp, "1711972800");
        assert_eq!(signature, "v1,xOIQbT1HAWhtnD6n6/CRYMOqWXGZCcqSeufoXeqnv0c=");
        assert_eq!(show_secret(&secret), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    }
}
