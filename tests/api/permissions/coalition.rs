//! People, grants, phones, tokens, organisations and regions for the matrix, made past the API.

use std::sync::Mutex;

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use sentinelle::auth::accounts::{add_device, add_token, add_user};
use sentinelle::auth::credential::Credential;
use sentinelle::auth::store::find_row_id;
use sentinelle::auth::tokens::{self, Narrowing};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::db::schema::{devices, grants, users};
use sentinelle::db::sealed;
use sentinelle::ids::{GrantId, OrganisationId, UserId, WebhookId};
use sentinelle::notify::webhooks::store::{self as webhooks, Settings, State};
use sentinelle::people::organisations::store::{Membership, NewOrganisation, insert_organisation};
use sentinelle::people::regions::store::put_region;
use sentinelle::people::regions::types::{Region, RegionLevel};
use sentinelle::releases::acts::{Actor, approve, draft, withdraw};
use sentinelle::releases::build::Span;
use sentinelle::releases::partition::Rule;
use sentinelle::releases::period::Month;
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use uuid::Uuid;

use crate::harness::TestApp;
use crate::permissions::things::Kind;

/// Makes something of that kind in a country, or where it is `own` somebody's of that person; returns its id.
pub(super) fn make(app: &TestApp, kind: Kind, country: &str, own: Option<UserId>) -> String {
    let person = || own.unwrap_or_else(|| monitor_in(app, country));
    match kind {
        Kind::Person => person().to_string(),
        Kind::Grant => grant_of(app, person()).to_string(),
        Kind::Phone => phone_in(app, country, own),
        Kind::Token => token_of(app, person()),
        Kind::Organisation => organisation(app),
        Kind::Region => region(app),
        Kind::Webhook => {
            webhook_of(app, own.unwrap_or_else(|| person_in(app, Role::RegionalLead, country)))
        }
        Kind::Release => release(app),
        Kind::Country
        | Kind::Report
        | Kind::Incident
        | Kind::Quarantined
        | Kind::Question
        | Kind::Rejection
        | Kind::Pair
        | Kind::LinkedPair
        | Kind::DismissedPair
        | Kind::MergedPair
        | Kind::Session => unreachable!("made elsewhere"),
    }
}

/// A code that no region has.
pub(super) fn unknown_region() -> String {
    format!("r{}", &Uuid::new_v4().simple().to_string()[..12])
}

fn monitor_in(app: &TestApp, country: &str) -> UserId {
    person_in(app, Role::Monitor, country)
}

fn person_in(app: &TestApp, role: Role, country: &str) -> UserId {
    let scopes = GrantScope::parse_list(country, app.context.geo().countries()).expect("a country");
    let name = Uuid::new_v4().to_string();
    let id = add_user(&app.context, &name, role, scopes).expect("a person");
    add_token(&app.context, &name, None).expect("a token");
    id
}

fn grant_of(app: &TestApp, user: UserId) -> GrantId {
    let found = app.context.db.read_here(move |conn| {
        let own = grants::table.inner_join(users::table).filter(users::uuid.eq(user));
        Ok(own.select(grants::uuid).first(conn)?)
    });
    found.expect("a grant")
}

fn phone_in(app: &TestApp, country: &str, owner: Option<UserId>) -> String {
    let name = Uuid::new_v4().to_string();
    let (id, _) = add_device(&app.context, &name, country, None, None).expect("a phone");
    let given = app.context.db.write_here(move |tx| {
        let owner = owner.map(|owner| find_row_id(tx.conn, owner)).transpose()?;
        let phone = devices::table.filter(devices::uuid.eq(id));
        Ok(diesel::update(phone).set(devices::owner_id.eq(owner)).execute(tx.conn)?)
    });
    assert_eq!(given.expect("an update"), 1);
    id.to_string()
}

fn token_of(app: &TestApp, user: UserId) -> String {
    let now = app.context.clock.now();
    let hash = Credential::generate(sentinelle::auth::credential::CredentialKind::User);
    let hash = hash.expect("a token").hash();
    let made = app.context.db.write_here(move |tx| {
        let row_id = find_row_id(tx.conn, user)?;
        Ok(tokens::insert(tx.conn, (row_id, hash), &Narrowing::default(), now, None)?)
    });
    made.expect("a token").to_string()
}

/// Made past the API, so that whoever may not make one has one too.
fn webhook_of(app: &TestApp, user: UserId) -> String {
    let (id, context) = (WebhookId::random(), app.context.clone());
    let made = app.context.db.write_here(move |tx| {
        let (row_id, now) = (find_row_id(tx.conn, user)?, context.clock.now());
        let settings = Settings { scope: "SLE".into(), kinds: "left".into(), state: State::Active };
        webhooks::insert(tx.conn, (id, row_id), &settings, 0, now)?;
        let owner = Owner { kind: OwnerKind::Webhook, id: id.uuid() };
        for (part, content) in [(Part::Address, "http://127.0.0.1:9/"), (Part::Secret, "secret")] {
            let sealed_part = context.sealer.seal(owner, part, 1, content.as_bytes())?;
            sealed::insert_part(tx.conn, owner, part, 1, &sealed_part)?;
        }
        Ok(())
    });
    made.expect("a webhook");
    id.to_string()
}

/// Drafted, published and withdrawn, by people who are in no list.
fn release(app: &TestApp) -> String {
    static ONE_AFTER_ANOTHER: Mutex<()> = Mutex::new(());
    let _turn = ONE_AFTER_ANOTHER.lock().expect("no test has failed");
    let actor = || Actor { id: UserId::random(), now: app.context.clock.now() };
    let (office, board, context) = (actor(), actor(), app.context.clone());
    let last = Month::new(2024, 1).expect("a month");
    let span = Span { first: Some(last), last };
    let id = draft(&app.context, Rule::STANDARD, span, office).expect("a draft");
    let withdrawn = app.context.db.write_here(move |tx| {
        approve(tx, id, board)?;
        withdraw(tx, &context, id, (None, "a mistake"), board)
    });
    withdrawn.expect("a withdrawn release");
    id.to_string()
}

fn organisation(app: &TestApp) -> String {
    let (id, now) = (OrganisationId::random(), app.context.clock.now());
    let name = Uuid::new_v4().to_string();
    let new = NewOrganisation { name, country: None, membership: Membership::Member };
    let made = app.context.db.write_here(move |tx| insert_organisation(tx.conn, id, &new, now));
    made.expect("an organisation");
    id.to_string()
}

fn region(app: &TestApp) -> String {
    let code = unknown_region();
    let region = Region {
        code: code.clone(),
        name_en: code.clone(),
        name_fr: code.clone(),
        level: RegionLevel::International,
        countries: Vec::new(),
    };
    let made = app.context.db.write_here(move |tx| Ok(put_region(tx.conn, &region)?));
    assert!(made.expect("a region"), "it is new");
    code
}
