//! Who asks: one caller a principal of SECURITY.md (e), each with a grant for Sierra Leone.

use sentinelle::auth::accounts::{add_device, add_token, add_user};
use sentinelle::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use sentinelle::ids::UserId;
use uuid::Uuid;

use crate::harness::{Client, TestApp};
use crate::scope::{disable, end_token, let_reveal};

/// Whoever asks.
pub(super) struct Caller {
    /// The name of its rows.
    pub(super) name: &'static str,
    pub(super) client: Client,
    /// As whom its own things are made, whatever it may do now; nobody for the anonymous.
    pub(super) maker: Option<Principal>,
}

/// Every principal of the matrix. The lead holds the region of Sierra Leone, everybody else the country alone, so that
/// a region that leaks into a country's grant shows.
pub(super) fn all(app: &TestApp) -> Vec<Caller> {
    let mut callers: Vec<Caller> = Role::ALL
        .into_iter()
        .map(|role| {
            let scope = if role == Role::RegionalLead { "region:west" } else { "SLE" };
            person(app, role.as_str(), role, scope)
        })
        .collect();
    callers.push(phone(app));
    callers.push(Caller { name: "anonymous", client: app.anonymous(), maker: None });
    for name in ["disabled", "expired", "revoked"] {
        callers.push(person(app, name, Role::Reviewer, "SLE"));
    }
    for caller in &callers {
        match caller.name {
            "disabled" => disable(app, &caller.client),
            "expired" => end_token(app, &caller.client, false),
            "revoked" => end_token(app, &caller.client, true),
            _ => {}
        }
    }
    callers
}

fn person(app: &TestApp, name: &'static str, role: Role, scope: &str) -> Caller {
    let account = Uuid::new_v4().to_string();
    let scopes = GrantScope::parse_list(scope, app.context.geo().countries()).expect("a scope");
    let id = add_user(&app.context, &account, role, scopes).expect("a new user");
    let token = add_token(&app.context, &account, None).expect("a token");
    let client = Client::new(&app.url, Some(token.expose()));
    let_reveal(app, &client);
    Caller { name, client, maker: Some(monitor(id)) }
}

fn phone(app: &TestApp) -> Caller {
    let name = Uuid::new_v4().to_string();
    let (id, key) = add_device(&app.context, &name, "SLE", None, None).expect("a new device");
    let client = Client::new(&app.url, Some(key.expose()));
    Caller { name: "device", client, maker: Some(Principal::Device { id, owner: None }) }
}

/// Somebody who may report from everywhere.
pub(super) fn monitor(id: UserId) -> Principal {
    let grant = Grant { role: Role::Monitor, written: GrantScope::All, scope: Scope::All };
    Principal::User { id, grants: vec![grant], limits: Limits::default() }
}
