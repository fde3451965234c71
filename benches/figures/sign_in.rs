//! Signing in: does the time of a refusal tell whether anybody has the name?

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::Instant;

use sentinelle::auth::accounts::add_user;
use sentinelle::auth::passwords::Password;
use sentinelle::auth::store;
use sentinelle::auth::types::{GrantScope, Role};
use tempfile::TempDir;

use crate::intake::{App, new_database};
use crate::load::read_answer;
use crate::table::{Table, median_ms};

/// Names of each kind; each is guessed at as often as costs no wait.
const N_NAMES: usize = 400;
const N_GUESSES: usize = 5;
/// The greatest area under the curve that tells nothing of use.
const MOST: f64 = 0.55;

pub(crate) fn measure(table: &mut Table) {
    let sqlite =
        |folder: &TempDir| format!("sqlite://{}", folder.path().join("bench.db").display());
    compare(table, "SQLite", &sqlite);
    #[expect(clippy::disallowed_methods, reason = "make bench names its server in the environment")]
    let postgres = std::env::var("SENTINELLE_TEST_POSTGRES_URL");
    match postgres {
        Ok(server) => compare(table, "PostgreSQL", &|_| new_database(&server)),
        Err(_) => table.tell("sign-in, PostgreSQL", "not measured", "run it by `make bench`"),
    }
}

/// Guesses at names that people have and at names nobody has, in turns, over one connection.
fn compare(table: &mut Table, engine: &str, new_url: &dyn Fn(&TempDir) -> String) {
    let app = App::start(new_url, 256, std::time::Duration::ZERO);
    add_people(&app);
    let mut stream = TcpStream::connect(&app.address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket");
    let mut answers = BufReader::new(stream.try_clone().expect("a socket"));
    let mut guess = |name: &str| {
        let body = format!("{{\"name\":\"{name}\",\"password\":\"gravel-otter-plain-ten\"}}");
        let head = format!(
            "POST /v1/sessions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            app.address,
            body.len()
        );
        let sent_at = Instant::now();
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).expect("the server reads");
        let status = read_answer(&mut answers);
        let seconds = sent_at.elapsed().as_secs_f64();
        assert_eq!(status, 401, "{name}");
        seconds
    };
    for nth in 0..20 {
        guess(&format!("warming up {nth}"));
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..N_GUESSES {
        for nth in 0..N_NAMES {
            // Who comes first changes, so that coming first tells nothing.
            for turn in [nth, nth + 1] {
                match (turn + round) % 2 {
                    0 => known.push(guess(&person(nth))),
                    _ => unknown.push(guess(&format!("nobody {nth}"))),
                }
            }
        }
    }
    app.stop();
    let auc = area_under_curve(&known, &unknown);
    let distance = (auc - 0.5).abs();
    table.judge(
        &format!(
            "sign-in, {engine}: time of a refusal tells known from unknown, {} each",
            known.len()
        ),
        format!("AUC {auc:.3}, {:.1} and {:.1} ms", median_ms(known), median_ms(unknown)),
        format!("AUC {MOST} at most"),
        (((MOST - 0.5) / distance.max(1e-3)).min(99.0), 1.0),
    );
}

fn person(nth: usize) -> String {
    format!("person {nth}")
}

fn add_people(app: &App) {
    let password = Password::new("gravel-otter-plain-nine");
    let hash = actix_web::rt::System::new().block_on(app.context.passwords.hash(password));
    let hash = hash.expect("a hash");
    for nth in 0..N_NAMES {
        let scope = vec![GrantScope::All];
        let id = add_user(&app.context, &person(nth), Role::Reviewer, scope).expect("a user");
        let (hash, now) = (hash.clone(), app.context.clock.now());
        let put = app.context.db.write_here(move |tx| {
            let row_id = store::find_row_id(tx.conn, id)?;
            Ok(store::put_password(tx.conn, row_id, &hash, now)?)
        });
        put.expect("a password");
    }
}

/// Returns how likely one of `ones` took longer than one of `others`; a half tells nothing (Mann and Whitney's U over
/// the number of pairs).
fn area_under_curve(ones: &[f64], others: &[f64]) -> f64 {
    let mut sorted = others.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins: f64 = ones
        .iter()
        .map(|one| {
            let n_below = sorted.partition_point(|other| other < one);
            let n_up_to = sorted.partition_point(|other| other <= one);
            n_below as f64 + (n_up_to - n_below) as f64 / 2.0
        })
        .sum();
    wins / (ones.len() * others.len()) as f64
}
