//! Whether the service lives, and whether it can work: for probes, and for `sentinelle doctor`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::aggregates::store::find_head;
use crate::config::{PublicUrl, SecurityContact};
use crate::context::{Context, KeyPlace};
use crate::error::Result;
use crate::http::query::Pairs;
use crate::keys::store::{KeyState, find_state};
use crate::notify::notifier::Notifier;

/// One thing looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// What was looked at.
    #[schema(example = "database")]
    pub name: &'static str,
    /// `ok`, `warning` or `failed`.
    #[schema(example = "ok")]
    pub state: &'static str,
    /// What it means and what to do.
    pub note: String,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthView {
    /// `ok` unless something failed.
    #[schema(example = "ok")]
    pub status: &'static str,
    /// Each thing looked at; empty for liveness.
    pub findings: Vec<Finding>,
}

/// Whether it lives
///
/// The process answers; nothing else is looked at.
#[utoipa::path(
    get, path = "/health/live", tag = "operation", operation_id = "get_liveness",
    security(()),
    responses((status = 200, description = "It lives", body = HealthView))
)]
pub async fn get_liveness(request: HttpRequest) -> Result<web::Json<HealthView>> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    Ok(web::Json(HealthView { status: "ok", findings: Vec::new() }))
}

/// Whether it can work
///
/// Database, writer, key and counting columns. 503 while one of them fails.
#[utoipa::path(
    get, path = "/health/ready", tag = "operation", operation_id = "get_readiness",
    security(()),
    responses(
        (status = 200, description = "It can work", body = HealthView),
        (status = 503, description = "It cannot work now", body = HealthView),
    )
)]
pub async fn get_readiness(
    context: web::Data<Context>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Pairs::of(&request)?.refuse_rest(&[])?;
    let shared = context.clone();
    let looked = context
        .db
        .read(move |conn| {
            shared.live.read(conn, &shared.keys.place_veil(), |_, _| Ok(()))?;
            Ok(find_state(conn)?)
        })
        .await;
    let mut findings =
        vec![database_finding(&looked), writer_finding(context.db.can_write().await)];
    findings.extend(key_findings(&context, looked.as_ref().ok()));
    let view = summarise(findings);
    let status = if view.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(HttpResponse::build(status).json(view))
}

/// Looks at everything `doctor` can see without a running server.
pub fn examine(context: &Context) -> HealthView {
    let looked = context.db.read_here(|conn| {
        find_head(conn)?;
        Ok(find_state(conn)?)
    });
    let mut findings = vec![database_finding(&looked)];
    findings.extend(key_findings(context, looked.as_ref().ok()));
    findings.push(address_finding(context.public_url.as_ref()));
    findings.push(contact_finding(context.security_contact.as_ref()));
    findings.extend(notify_findings(&context.notifier));
    summarise(findings)
}

/// Returns what the findings amount to.
pub fn summarise(findings: Vec<Finding>) -> HealthView {
    let is_failed = findings.iter().any(|finding| finding.state == "failed");
    HealthView { status: if is_failed { "failed" } else { "ok" }, findings }
}

// These answers are public: no number in them, since one that moves tells when somebody reported.

fn database_finding<T>(looked: &Result<T>) -> Finding {
    match looked {
        Ok(_) => Finding { name: "database", state: "ok", note: "answers".into() },
        Err(error) => Finding {
            name: "database",
            state: "failed",
            note: format!(
                "does not answer ({}): check that it runs and can be reached",
                error.code.as_str()
            ),
        },
    }
}

fn writer_finding(can_write: bool) -> Finding {
    if can_write {
        return Finding { name: "writer", state: "ok", note: "takes what is sent".into() };
    }
    Finding {
        name: "writer",
        state: "failed",
        note: "the last commit failed: check the disk and the log".into(),
    }
}

/// Says where the key lies, that it is no longer the right one, and that it is being changed.
fn key_findings(context: &Context, state: Option<&KeyState>) -> Vec<Finding> {
    let current = state.and_then(|state| state.current.as_deref());
    let is_held = current.is_none_or(|id| context.sealer.find_key(id).is_some());
    let key = if is_held {
        place_finding(&context.key_place)
    } else {
        Finding {
            name: "key",
            state: "failed",
            note: "the instance key was changed while this server did not look: start it anew with the new key".into(),
        }
    };
    let is_running = state.is_some_and(|state| state.running.is_some());
    let rotation = is_running.then(|| Finding {
        name: "rotation",
        state: "warning",
        note: "the instance key is being changed, and until that ends both keys open the data: where no `sentinelle keys \
               rotate` runs, run it again"
            .into(),
    });
    std::iter::once(key).chain(rotation).collect()
}

fn place_finding(place: &KeyPlace) -> Finding {
    match place {
        KeyPlace::File(_) | KeyPlace::Credential(_) | KeyPlace::Environment => Finding {
            name: "key",
            state: "ok",
            note: "opens the data and lies apart from it; without it nothing can be read, so keep its paper form \
                   (`sentinelle keys recovery`)"
                .into(),
        },
        KeyPlace::BesideData(_) => Finding {
            name: "key",
            state: "warning",
            note: "key beside data: whoever takes this disk opens every report, and whoever loses it loses them all; \
                   move it, give --key-file, and keep its paper form (`sentinelle keys recovery`)"
                .into(),
        },
    }
}

fn address_finding(url: Option<&PublicUrl>) -> Finding {
    let (state, note) = match url {
        Some(url) if url.is_https() => {
            ("ok", format!("{}; browsers are told to use https alone", url.origin()))
        }
        Some(url) => (
            "warning",
            format!(
                "{} is not encrypted: tokens can be read on the way; put TLS in front and give https://…",
                url.origin()
            ),
        ),
        None => (
            "warning",
            "not known: browsers are not told to use https alone; give --public-url https://…"
                .to_owned(),
        ),
    };
    Finding { name: "address", state, note }
}

/// Says whether mail is sent, and that webhooks may go where only a lab should send them.
fn notify_findings(notifier: &Notifier) -> Vec<Finding> {
    let (state, note) = match &notifier.mailer {
        Some(_) => ("ok", "mail is handed to the server of --smtp-url"),
        None => (
            "ok",
            "no mail is sent; give --smtp-url and --mail-from to tell reviewers of what is new",
        ),
    };
    let mail = Finding { name: "mail", state, note: note.to_owned() };
    let is_lab = !notifier.gate.rules().networks.is_empty();
    let webhooks = is_lab.then(|| Finding {
        name: "webhooks",
        state: "warning",
        note: "--webhook-allow lets them reach networks that are not public, unencrypted: for tests and labs alone".into(),
    });
    std::iter::once(mail).chain(webhooks).collect()
}

fn contact_finding(contact: Option<&SecurityContact>) -> Finding {
    let (state, note) = match contact {
        Some(contact) => ("ok", format!("faults of security go to {}", contact.as_str())),
        None => (
            "warning",
            "nobody is named for faults of security, so /.well-known/security.txt answers 404; give \
             --security-contact mailto:… or https://…"
                .to_owned(),
        ),
    };
    Finding { name: "contact", state, note }
}
