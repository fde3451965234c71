//! The matrix: every route, every kind of caller, every relation to the thing asked for, against the running
//! application.
//!
//! `tests/permissions.csv` has a line for each route and caller with the status of six relations. It is written by
//! hand from DECISIONS.md *Who may* and SECURITY.md (e); where the application answers otherwise, the failure shows the
//! line as it would have to be, to be judged, not copied.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod callers;
mod coalition;
mod routes;
mod things;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use sentinelle::app::{guarded_routes, public_routes};

use crate::harness::{Answer, Client, TestApp};
use crate::permissions::callers::Caller;
use crate::permissions::routes::Spec;
use crate::permissions::things::{Kind, Relation, Things};

const MATRIX: &str = include_str!("../permissions.csv");

/// Statuses by route and caller, in the order of [`Relation::ALL`].
type Rights = BTreeMap<(String, String), [u16; 6]>;

fn read_matrix() -> Rights {
    let mut reader = csv::Reader::from_reader(MATRIX.as_bytes());
    let header: Vec<&str> = Relation::ALL.into_iter().map(Relation::column).collect();
    let written = reader.headers().expect("a header");
    assert_eq!(written.iter().skip(2).collect::<Vec<_>>(), header);
    let mut rights = Rights::new();
    for row in reader.records() {
        let row = row.expect("a line");
        let cells = row.iter().skip(2).map(|cell| cell.parse().expect("a status"));
        let cells: Vec<u16> = cells.collect();
        let key = (row[0].to_owned(), row[1].to_owned());
        let earlier = rights.insert(key, cells.try_into().expect("six cells"));
        assert_eq!(earlier, None, "twice: {row:?}");
    }
    rights
}

/// Every route of the application as `METHOD path`.
fn routes_of_the_application() -> BTreeSet<String> {
    let all = public_routes().into_iter().chain(guarded_routes());
    all.map(|((method, path), _)| format!("{method} {path}")).collect()
}

/// One run of the matrix.
struct Walk<'a> {
    things: &'a Things<'a>,
    rights: &'a Rights,
    /// What a request without a credential is answered.
    nobody: Answer,
}

impl Walk<'_> {
    /// Walks the rows of one caller and returns what is wrong, a line each.
    fn walk(&self, caller: &Caller, specs: &[Spec]) -> Vec<String> {
        let hidden = self.hidden_from(caller);
        specs.iter().flat_map(|spec| self.walk_row(caller, spec, &hidden)).collect()
    }

    fn walk_row(&self, caller: &Caller, spec: &Spec, hidden: &[String]) -> Vec<String> {
        let row = self.rights.get(&(spec.route.to_owned(), caller.name.to_owned()));
        let mut wrong = Vec::new();
        let mut statuses = Vec::new();
        for (nth, relation) in Relation::ALL.into_iter().enumerate() {
            let right = row.map(|cells| cells[nth]);
            let answer = self.ask(caller, spec, relation, right);
            statuses.push(answer.status.to_string());
            let cell = format!("{} as {}, {}", spec.route, caller.name, relation.column());
            if right.is_some_and(|right| right != answer.status) {
                wrong.push(format!("{cell}: {} {}", answer.status, answer.text()));
            }
            wrong.extend(self.tell_difference(caller, spec, relation, &answer, &cell));
            // The auditor reads of every country in the log, in ids, and nowhere else.
            let may_tell = spec.route == "GET /v1/audit" && caller.name == "auditor";
            let is_read = answer.status < 300 && !may_tell;
            let is_told = |id: &&String| is_read && answer.text().contains(*id);
            let told = hidden.iter().filter(is_told);
            wrong.extend(told.map(|id| format!("{cell}: tells of {id}, which is out of scope")));
        }
        let is_as_written =
            row.is_some_and(|cells| cells.iter().map(u16::to_string).eq(statuses.iter().cloned()));
        if !is_as_written {
            wrong.push(format!("{},{},{}", spec.route, caller.name, statuses.join(",")));
        }
        wrong
    }

    /// Asks for a thing that stands so to the caller: a new one where the request would change it.
    fn ask(&self, caller: &Caller, spec: &Spec, relation: Relation, right: Option<u16>) -> Answer {
        let is_used_up = spec.is_change && right.is_none_or(|right| right < 300);
        if is_used_up {
            spec.ask(&caller.client, &self.things.make(spec.kind, caller, relation))
        } else {
            spec.ask(&caller.client, &self.things.kept(spec.kind, caller, relation))
        }
    }

    /// Says where an answer tells more than it may: what is out of scope from what never was, and to strangers
    /// anything at all.
    fn tell_difference(
        &self,
        caller: &Caller,
        spec: &Spec,
        relation: Relation,
        answer: &Answer,
        cell: &str,
    ) -> Option<String> {
        let same = match answer.status {
            401 => self.nobody.clone(),
            404 if relation != Relation::NotExisting => {
                self.ask(caller, spec, Relation::NotExisting, Some(404))
            }
            _ => return None,
        };
        let (ours, theirs) = (bytes_of(answer), bytes_of(&same));
        let differing: Vec<_> = ours.symmetric_difference(&theirs).collect();
        (!differing.is_empty()).then(|| format!("{cell}: differs from its twin: {differing:?}"))
    }

    /// Ids that no answer to the caller may hold.
    fn hidden_from(&self, caller: &Caller) -> Vec<String> {
        let of_cases = [Kind::Incident, Kind::Report, Kind::Quarantined];
        let of_people = [Kind::Person, Kind::Grant];
        let mut hidden = self.hidden_by("GET /v1/incidents/{id}", &of_cases, caller);
        // Auditors read of everybody in the log, as ids, and of nobody elsewhere.
        if caller.name != "auditor" {
            hidden.extend(self.hidden_by("GET /v1/users/{id}", &of_people, caller));
        }
        hidden
    }

    /// Ids of these kinds where the route does not tell the caller of them.
    fn hidden_by(&self, route: &str, kinds: &[Kind], caller: &Caller) -> Vec<String> {
        let Some(cells) = self.rights.get(&(route.to_owned(), caller.name.to_owned())) else {
            return Vec::new();
        };
        let relations = Relation::ALL.into_iter().zip(cells);
        let hidden = relations.filter(|(relation, right)| {
            **right != 200 && *relation != Relation::Own && *relation != Relation::NotExisting
        });
        let telling = |relation| {
            kinds
                .iter()
                .flat_map(move |kind| self.things.kept(*kind, caller, relation).telling.clone())
        };
        hidden.flat_map(|(relation, _)| telling(relation)).collect()
    }
}

/// Everything of an answer but its date, and but whether the connection goes on, which tells only whether the whole body
/// had come when it was refused.
fn bytes_of(answer: &Answer) -> BTreeSet<(String, String)> {
    let headers = answer.headers.iter().map(|(name, value)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let told = headers.filter(|(name, _)| name != "date" && name != "connection");
    told.chain([
        ("status".to_owned(), answer.status.to_string()),
        ("body".to_owned(), answer.text()),
    ])
    .collect()
}

#[test]
fn every_cell_of_the_matrix_is_as_written() {
    let app = TestApp::start();
    let (rights, specs, callers) = (read_matrix(), routes::all(), callers::all(&app));
    let asked: BTreeSet<String> = specs.iter().map(|spec| spec.route.to_owned()).collect();
    assert_eq!(asked, routes_of_the_application(), "each route is asked, and no other");
    let things = Things::new(&app);
    let nobody = app.anonymous().get("/v1/incidents").expect_problem(401, "unauthenticated");
    let walk = Walk { things: &things, rights: &rights, nobody };

    let wrong: Vec<String> = std::thread::scope(|scope| {
        let walks: Vec<_> =
            callers.iter().map(|caller| scope.spawn(|| walk.walk(caller, &specs))).collect();
        walks.into_iter().flat_map(|walk| walk.join().expect("a whole walk")).collect()
    });

    let expected: BTreeSet<(String, String)> = asked
        .iter()
        .flat_map(|route| callers.iter().map(|caller| (route.clone(), caller.name.to_owned())))
        .collect();
    let stray: Vec<_> = rights.keys().filter(|key| !expected.contains(key)).collect();
    assert!(stray.is_empty(), "rows of no route or caller: {stray:?}");
    assert!(wrong.is_empty(), "the matrix differs:\n{}", wrong.join("\n"));
    let (n_cells, n_routes) = (rights.len() * Relation::ALL.len(), asked.len());
    writeln!(std::io::stderr(), "matrix: {n_cells} cells, {n_routes} routes").expect("a console");
}

#[test]
fn without_a_valid_credential_every_route_answers_the_same_bytes() {
    let app = TestApp::start();
    let (callers, things) = (callers::all(&app), Things::new(&app));
    let anyone = callers.first().expect("a caller");
    let token = app.reviewer().token().to_owned();
    let typo = format!("{}{}", &token[..54], if token.ends_with('A') { 'B' } else { 'A' });
    let first = app.anonymous().get("/v1/incidents").expect_problem(401, "unauthenticated");
    let public: BTreeSet<String> =
        public_routes().into_iter().map(|((method, path), _)| format!("{method} {path}")).collect();

    for spec in routes::all().iter().filter(|spec| !public.contains(spec.route)) {
        for token in [None, Some(typo.as_str()), Some("x")] {
            let client = Client::new(&app.url, token);
            for relation in [Relation::OwnCountry, Relation::NotExisting] {
                let answer = spec.ask(&client, &things.kept(spec.kind, anyone, relation));
                assert_eq!(bytes_of(&answer), bytes_of(&first), "{}", spec.route);
            }
        }
    }
}
