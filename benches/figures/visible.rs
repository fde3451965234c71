//! What asking the policy costs: it is asked once or twice in every request.

use std::hint::black_box;
use std::time::Instant;

use sentinelle::auth::policy::{Action, visible};
use sentinelle::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use sentinelle::geo::countries::{Countries, CountryCode};
use sentinelle::ids::UserId;

use crate::table::Table;

const N_CALLS: u32 = 200_000;

pub(crate) fn measure(table: &mut Table) {
    let countries = Countries::builtin().expect("the built-in countries");
    let codes: Vec<CountryCode> = countries.iter().map(|country| country.code).collect();
    for n_grants in [1, 5, 20] {
        let principal = person(&codes, n_grants);
        let scope = visible(&principal, Action::ReadCore).expect("a reviewer reads");
        let n_seen = codes.iter().filter(|code| scope.has(**code)).count();
        assert_eq!(n_seen, n_grants.min(codes.len()), "each grant is another country");
        table.tell(
            &format!("`visible` for a person with {n_grants} grants"),
            format!("{:.0} ns", nanoseconds(&principal)),
            "one core",
        );
    }
}

/// A reviewer of one country a grant.
fn person(codes: &[CountryCode], n_grants: usize) -> Principal {
    let grant = |code: &CountryCode| Grant {
        role: Role::Reviewer,
        written: GrantScope::Country(*code),
        scope: Scope::Countries([*code].into()),
    };
    let grants = codes.iter().cycle().take(n_grants).map(grant).collect();
    Principal::User { id: UserId::random(), grants, limits: Limits::default() }
}

/// The middle of five rounds.
fn nanoseconds(principal: &Principal) -> f64 {
    let round = || {
        let started_at = Instant::now();
        for _ in 0..N_CALLS {
            black_box(visible(black_box(principal), Action::ReadCore).is_ok());
        }
        started_at.elapsed().as_secs_f64() * 1e9 / f64::from(N_CALLS)
    };
    let mut rounds: Vec<f64> = (0..5).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[2]
}
