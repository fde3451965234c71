//! `demo`: the product in one command, with invented reports and printed tokens.

use std::path::{Path, PathBuf};

use actix_web::web::Data;
use chrono::{Datelike, Months};
use clap::Args;
use serde_json::json;

use crate::app::ServerOptions;
use crate::auth::accounts::{add_device, add_token, add_user};
use crate::auth::credential::Credential;
use crate::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use crate::cli::demo::invent::{DemoPlace, InventedReport, invent};
use crate::cli::demo::narratives::Language;
use crate::cli::{CommandError, answer, serve, tell};
use crate::clock::Clock;
use crate::config::{PublicConfig, PublicUrl, SecurityContact, StoreConfig};
use crate::context::{Context, StartError};
use crate::error::Error;
use crate::geo::locate::Geo;
use crate::geo::sites::Site;
use crate::ids::{IncidentId, UserId};
use crate::incidents::facts::Status;
use crate::intake::http::prepare_body;
use crate::intake::prepare::Channel;
use crate::intake::store::new_rows;
use crate::releases::acts::{Actor, approve, draft};
use crate::releases::build::Span;
use crate::releases::partition::Rule;
use crate::releases::period::Month;
use crate::review::corrections::Corrections;
use crate::review::decisions::{Decision, decide};

/// How many reports are invented.
const N_REPORTS: usize = 480;
/// The demo is the same for everybody.
const SEED: u64 = 20_240_305;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Address and port on loopback; port 0 takes a free one.
    #[arg(
        long,
        env = "SENTINELLE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR:PORT"
    )]
    listen: String,
    /// Folder of the demo's own database; emptied on every start.
    #[arg(long, default_value = "demo-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Print one line of JSON with the address and the tokens when it is ready.
    #[arg(long)]
    json: bool,
}

/// Marks a folder as the demo's own, so that nothing else is ever emptied.
const MARKER: &str = "this-folder-is-emptied-by-sentinelle-demo";

/// Fills a database of its own with invented reports and serves it until SIGTERM.
pub(in crate::cli) fn demo(args: &DemoArgs) -> Result<(), CommandError> {
    let listener = serve::bind(&args.listen)?;
    if !listener.local_addr()?.ip().is_loopback() {
        return Err(CommandError::Usage(
            "the demo listens on loopback only, such as 127.0.0.1:8080".into(),
        ));
    }
    empty_folder(&args.data_dir)?;
    let url = format!("http://{}", listener.local_addr()?);
    let store =
        StoreConfig { public: demo_address(&url)?, ..StoreConfig::in_folder(&args.data_dir) };
    // The demo's key is made anew with its data: there is nothing to recover.
    let context = Data::new(Context::open(&store, Clock::system(), &mut |_| {})?);
    if !args.json {
        tell(&format!("inventing {N_REPORTS} reports …"));
    }
    let accounts = add_accounts(&context)?;
    fill(&context, &accounts)?;
    release(&context, &accounts)?;
    let told = if args.json { accounts.as_json(&url) } else { accounts.for_people(&url) };
    answer(&told);
    serve::run(context, listener, &ServerOptions::default())
}

/// Where the demo is reached, and an invented mailbox for faults.
fn demo_address(url: &str) -> Result<PublicConfig, CommandError> {
    Ok(PublicConfig {
        public_url: Some(PublicUrl::parse(url).map_err(CommandError::Usage)?),
        security_contact: Some(
            SecurityContact::parse("mailto:security@example.org").map_err(CommandError::Usage)?,
        ),
    })
}

fn empty_folder(folder: &Path) -> Result<(), CommandError> {
    let is_occupied = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if is_occupied && !folder.join(MARKER).exists() {
        let folder = folder.display();
        return Err(CommandError::Usage(format!(
            "{folder} holds files that are not the demo's: choose an empty folder with --data-dir"
        )));
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(MARKER), "")?;
    Ok(())
}

/// The demo's people and their tokens.
struct Accounts {
    /// Several, so that a figure is of more than one of them; the first is the one whose token is printed.
    monitor_ids: Vec<UserId>,
    /// Who made the decisions that are there at first, so that every one has somebody behind it.
    desk_id: UserId,
    /// Who drafts the release that is there at first, and who publishes it.
    coordinator_ids: [UserId; 2],
    tokens: Vec<(&'static str, &'static str, Credential)>,
}

/// Name, role and scope of the demo's people; the reviewer's is wide so that a newcomer sees something everywhere.
const PEOPLE: [(Role, &str, &str); 7] = [
    (Role::Monitor, "SLE", "sends reports, reads own receipts"),
    (Role::Reviewer, "SLE,COD,CAF", "opens reports and decides, in three countries"),
    (Role::RegionalLead, "region:west", "the same for West Africa"),
    (Role::Analyst, "all", "lists and counts everywhere, opens nothing"),
    (Role::Coordinator, "all", "lists and counts everywhere"),
    (Role::Auditor, "all", "proves who did what"),
    (Role::Sysadmin, "all", "runs the machines, sees no report"),
];

fn add_accounts(context: &Context) -> Result<Accounts, CommandError> {
    let mut tokens = Vec::new();
    let mut monitor_ids = Vec::new();
    for (role, scope, told) in PEOPLE {
        let scopes = GrantScope::parse_list(scope, context.geo().countries()).map_err(|part| {
            CommandError::Usage(format!("the demo names an unknown scope {part}"))
        })?;
        let name = format!("demo {}", role.as_str());
        let id = add_user(context, &name, role, scopes)?;
        if role == Role::Monitor {
            monitor_ids.push(id);
        }
        tokens.push((role.as_str(), told, add_token(context, &name, None)?));
    }
    let (_, key) = add_device(
        context,
        "demo phone",
        "SLE",
        Some("demo monitor"),
        Some("Demo organisation".into()),
    )?;
    tokens.push(("device", "a phone: submits and reads its own receipts only", key));
    for nth in 2..=4 {
        let name = format!("demo monitor {nth}");
        monitor_ids.push(add_user(context, &name, Role::Monitor, vec![GrantScope::All])?);
    }
    let desk_id = add_user(context, "demo desk", Role::Reviewer, vec![GrantScope::All])?;
    let add_coordinator =
        |name: &str| add_user(context, name, Role::Coordinator, vec![GrantScope::All]);
    let coordinator_ids = [add_coordinator("demo office")?, add_coordinator("demo board")?];
    Ok(Accounts { monitor_ids, desk_id, coordinator_ids, tokens })
}

impl Accounts {
    fn as_json(&self, url: &str) -> String {
        let tokens: serde_json::Map<_, _> = self
            .tokens
            .iter()
            .map(|(role, _, token)| ((*role).to_owned(), token.expose().into()))
            .collect();
        json!({ "url": url, "tokens": tokens }).to_string()
    }

    fn for_people(&self, url: &str) -> String {
        let token_of = |role: &str| {
            self.tokens
                .iter()
                .find(|(name, _, _)| *name == role)
                .map(|(_, _, token)| token.expose())
                .unwrap_or_default()
        };
        let tokens: Vec<String> = self
            .tokens
            .iter()
            .map(|(role, told, token)| {
                format!("  {role:14} {}\n  {:14} {told}", token.expose(), "")
            })
            .collect();
        format!(
            "\nSentinelle demo: {url}   (all reports are invented)\n\n\
             API documentation   {url}/docs/\n\n\
             Tokens\n{}\n\n\
             Try\n\n\
             # how many incidents, per country\n\
             curl -s -H 'Authorization: Bearer {}' '{url}/v1/aggregates.csv?by=country&bom=0'\n\n\
             # what everybody sees, without a token: figures of a release, none of fewer than five incidents\n\
             curl -s {url}/v1/public/countries\n\n\
             # send a report, as a monitor would\n\
             curl -s -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' {url}/v1/reports \\\n    \
             -d '{{\"occurred\":\"2024-03-05\",\"location\":{{\"lat\":8.644,\"lon\":-10.971}},\"categories\":[\"rights.life_integrity.assault_injury\"],\"narrative\":\"Two diggers were beaten at the pit. [invented example]\",\"harm\":{{\"injured\":2}}}}'\n\n\
             # what waits for review, most urgent first\n\
             curl -s -H 'Authorization: Bearer {}' '{url}/v1/queue?limit=3'\n\n\
             # take the next case: for 15 minutes nobody else gets it; its story is under /v1/incidents/ID/history\n\
             curl -s -X POST -H 'Authorization: Bearer {}' {url}/v1/queue/next\n\n\
             Ctrl-C stops it. The next start begins anew.",
            tokens.join("\n"),
            token_of("analyst"),
            token_of("monitor"),
            token_of("reviewer"),
            token_of("reviewer"),
        )
    }
}

/// Puts the invented reports through the one intake path, and the decisions through the one way incidents change.
fn fill(context: &Data<Context>, accounts: &Accounts) -> Result<(), CommandError> {
    let places = demo_places(&context.geo());
    let today = context.clock.now().date_naive();
    let invented = invent(SEED, N_REPORTS, &places, today).map_err(StartError::from)?;
    let grant = Grant { role: Role::Monitor, written: GrantScope::All, scope: Scope::All };
    let principal = |id: &UserId| {
        let (grants, limits) = (vec![grant.clone()], Limits::default());
        Principal::User { id: *id, grants, limits }
    };
    let senders: Vec<Principal> = accounts.monitor_ids.iter().map(principal).collect();
    for (report, sender) in invented.into_iter().zip(senders.iter().cycle()) {
        take_in(context, sender, accounts.desk_id, report)?;
    }
    Ok(())
}

/// Publishes one release of all months that are over, by the same rule as any.
fn release(context: &Data<Context>, accounts: &Accounts) -> Result<(), CommandError> {
    let now = context.clock.now();
    let last = now.date_naive().checked_sub_months(Months::new(1)).unwrap_or_default();
    let last = Month::new(last.year(), last.month())
        .ok_or_else(|| CommandError::Usage("the clock is not of this age".into()))?;
    let [office, board] = accounts.coordinator_ids.map(|id| Actor { id, now });
    let id = draft(context, Rule::STANDARD, Span { first: None, last }, office)?;
    context.db.write_here(move |tx| approve(tx, id, board))?;
    Ok(())
}

fn take_in(
    context: &Data<Context>,
    principal: &Principal,
    desk: UserId,
    invented: InventedReport,
) -> Result<(), CommandError> {
    let body = serde_json::from_value(invented.body).map_err(Error::internal)?;
    let prepared = prepare_body(principal, context, body, Channel::Api)?;
    let is_mismatch = prepared.report.place.is_mismatch();
    context.db.insert_here(new_rows(&prepared)?)?;
    let decisions = invented
        .decide
        .into_iter()
        .flat_map(|decide| decide.statuses.into_iter().map(move |status| (status, decide.reason)));
    for (version, (status, reason)) in (1..).zip(decisions) {
        // A point that fell over a border waits for a reviewer, as it would in life.
        if is_mismatch && status == Status::Verified.as_str() {
            break;
        }
        decide_one(context, desk, (prepared.incident, version), (status, reason))?;
    }
    Ok(())
}

fn decide_one(
    context: &Data<Context>,
    desk: UserId,
    (incident, version): (IncidentId, i32),
    (status, reason): (&str, &str),
) -> Result<(), CommandError> {
    let decision = Decision {
        incident,
        version,
        status: Status::parse(status),
        corrections: Corrections::default(),
        report_grades: Vec::new(),
        reason: reason.to_owned(),
        decided_by: Some(desk),
        scope: Scope::All,
        now: context.clock.now(),
    };
    let shared = context.clone();
    context.db.write_here(move |tx| decide(tx, &shared, &decision))?;
    Ok(())
}

/// Returns the artisanal centres and mines of the member countries, away from borders, once a language.
pub fn demo_places(geo: &Geo) -> Vec<DemoPlace> {
    let is_member =
        |site: &&Site| geo.countries().get(site.country).is_some_and(|country| country.is_member);
    let is_inland = |site: &&Site| {
        let location = geo.locate(site.point);
        location.country == Some(site.country) && location.near_border_m.is_none()
    };
    let languages = |site: &Site| -> Vec<Language> {
        let country = geo.countries().get(site.country);
        let codes = country.map(|country| country.languages.clone()).unwrap_or_default();
        codes.iter().filter_map(|code| Language::from_code(code)).collect()
    };
    let places = geo.sites().iter().filter(is_member).filter(is_inland);
    places
        .flat_map(|site| {
            languages(site).into_iter().map(|language| DemoPlace {
                country: site.country.as_str().to_owned(),
                language,
                lon: site.point.lon(),
                lat: site.point.lat(),
                // Real mines keep their names out of invented accusations.
                site: None,
            })
        })
        .collect()
}
