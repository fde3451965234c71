//! How much one caller may ask: a bucket for each credential, and one for everything a person holds together.
//!
//! Counted after authentication, so that only valid credentials take memory and nobody's guesses keep a phone waiting.
//! A phone has a bucket of its own and does not draw on its owner's: what is done with the owner's token, even a stolen
//! one, never keeps reports from coming in.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::auth::types::Principal;
use crate::clock::Clock;
use crate::config::{Rate, Rates};
use crate::error::{Error, Result};
use crate::ids::UserId;

/// The hash under which a credential is kept.
pub type CredentialHash = [u8; 32];

type Buckets<K> = RateLimiter<K, HashMapStateStore<K>, Elapsed, NoOpMiddleware<Duration>>;

/// The buckets of one kind of caller.
struct Limited<K: Hash + Eq + Clone> {
    /// In metrics.
    name: &'static str,
    /// Whose limit it is, in English and French.
    whose: (&'static str, &'static str),
    /// Requests that come back every minute, and the buckets; none without a limit.
    buckets: Option<(NonZeroU32, Buckets<K>)>,
    n_refused: AtomicU64,
}

impl<K: Hash + Eq + Clone> Limited<K> {
    fn new(
        name: &'static str,
        whose: (&'static str, &'static str),
        rate: Rate,
        clock: &Elapsed,
    ) -> Self {
        let buckets = match rate {
            Rate::Unlimited => None,
            Rate::Limited { per_minute, at_once } => {
                let quota = Quota::per_minute(per_minute).allow_burst(at_once);
                let buckets = RateLimiter::new(quota, HashMapStateStore::default(), clock.clone());
                Some((per_minute, buckets))
            }
        };
        Self { name, whose, buckets, n_refused: AtomicU64::new(0) }
    }

    fn take(&self, key: &K) -> Result<()> {
        let Some((per_minute, buckets)) = &self.buckets else {
            return Ok(());
        };
        let Err(until) = buckets.check_key(key) else {
            return Ok(());
        };
        self.n_refused.fetch_add(1, Ordering::Relaxed);
        let wait_s = whole_seconds(until.wait_time_from(buckets.clock().now()));
        let (en, fr) = self.whose;
        Err(Error::too_many_requests(wait_s).detail(
            format!("{en} may make {per_minute} requests a minute: try again in {wait_s} s"),
            format!("{fr} : {per_minute} requêtes par minute au plus ; réessayez dans {wait_s} s"),
        ))
    }

    /// Drops the buckets that are full again: they tell nothing.
    fn drop_full(&self) {
        if let Some((_, buckets)) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }

    fn refused(&self) -> (&'static str, u64) {
        (self.name, self.n_refused.load(Ordering::Relaxed))
    }
}

/// Returns the wait in seconds, rounded up: who comes back earlier is refused again.
fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

/// The buckets of a server, in memory; each server has its own.
pub struct RateLimits {
    credentials: Limited<CredentialHash>,
    accounts: Limited<UserId>,
    devices: Limited<CredentialHash>,
    public: Limited<()>,
    clock: Elapsed,
    swept_at_s: AtomicU64,
}

/// Every so many seconds the buckets that are full again are dropped.
const SWEEP_EVERY_S: u64 = 60;

impl RateLimits {
    /// Returns empty buckets.
    pub fn new(rates: &Rates, clock: &Clock) -> Self {
        let clock = Elapsed(clock.clone());
        let of_credential = ("this token or session", "ce jeton ou cette session");
        let of_account = (
            "all tokens and sessions of this person together",
            "l'ensemble des jetons et sessions de cette personne",
        );
        let of_device = ("this device", "cet appareil");
        let of_public = ("everybody together", "l'ensemble du public");
        Self {
            credentials: Limited::new("credential", of_credential, rates.credential, &clock),
            accounts: Limited::new("account", of_account, rates.account, &clock),
            devices: Limited::new("device", of_device, rates.device, &clock),
            public: Limited::new("public", of_public, rates.public, &clock),
            swept_at_s: AtomicU64::new(clock.now().as_secs()),
            clock,
        }
    }

    /// Counts one request of `principal`, who came with the credential of this hash.
    ///
    /// # Errors
    /// `TooManyRequests`, with the seconds to wait.
    pub fn count(&self, principal: &Principal, credential: CredentialHash) -> Result<()> {
        self.sweep();
        match principal {
            Principal::Device { .. } => self.devices.take(&credential),
            Principal::User { id, .. } => {
                self.credentials.take(&credential)?;
                self.accounts.take(id)
            }
        }
    }

    /// Counts one request for public figures, by whomever.
    ///
    /// # Errors
    /// `TooManyRequests`, with the seconds to wait.
    pub fn count_public(&self) -> Result<()> {
        self.public.take(&())
    }

    /// Returns how many requests were refused since the start, each with the name of the limit.
    pub fn refused(&self) -> [(&'static str, u64); 4] {
        [
            self.credentials.refused(),
            self.accounts.refused(),
            self.devices.refused(),
            self.public.refused(),
        ]
    }

    fn sweep(&self) {
        let now_s = self.clock.now().as_secs();
        let swept_at_s = self.swept_at_s.load(Ordering::Relaxed);
        if now_s.abs_diff(swept_at_s) < SWEEP_EVERY_S {
            return;
        }
        let (before, after) = (Ordering::Relaxed, Ordering::Relaxed);
        // One of those who come at once sweeps, the others go on.
        if self.swept_at_s.compare_exchange(swept_at_s, now_s, before, after).is_ok() {
            self.credentials.drop_full();
            self.accounts.drop_full();
            self.devices.drop_full();
        }
    }
}

/// The application's clock as `governor` reads it.
#[derive(Clone)]
struct Elapsed(Clock);

impl governor::clock::Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;

    use super::*;
    use crate::auth::types::Limits;

    fn at_second(now_s: &Arc<AtomicU64>, rates: &Rates) -> RateLimits {
        let now_s = Arc::clone(now_s);
        let clock = Clock::given(move || {
            let now_s = i64::try_from(now_s.load(Ordering::Relaxed)).expect("a second");
            DateTime::from_timestamp(now_s, 0).expect("an instant")
        });
        RateLimits::new(rates, &clock)
    }

    fn person(id: UserId) -> Principal {
        Principal::User { id, grants: Vec::new(), limits: Limits::default() }
    }

    #[test]
    fn memory_is_held_for_those_alone_who_came_lately() {
        let now_s = Arc::new(AtomicU64::new(1_700_000_000));
        let rate = Rate::parse("60:5").expect("a rate");
        let limits = at_second(&now_s, &Rates { account: rate, ..Rates::UNLIMITED });
        let n_buckets = || limits.accounts.buckets.as_ref().map(|(_, buckets)| buckets.len());
        for _ in 0..10_000 {
            limits.count(&person(UserId::random()), [0; 32]).expect("a first request");
        }
        assert_eq!(n_buckets(), Some(10_000));

        now_s.fetch_add(60, Ordering::Relaxed);
        limits.count(&person(UserId::random()), [0; 32]).expect("a first request");

        assert_eq!(n_buckets(), Some(1));
    }

    #[test]
    fn a_bucket_gives_again_what_a_second_brings() {
        let now_s = Arc::new(AtomicU64::new(1_700_000_000));
        let rate = Rate::parse("60:1").expect("a rate");
        let limits = at_second(&now_s, &Rates { credential: rate, ..Rates::UNLIMITED });
        let caller = person(UserId::random());
        limits.count(&caller, [1; 32]).expect("a first request");

        assert!(limits.count(&caller, [1; 32]).is_err());
        now_s.fetch_add(1, Ordering::Relaxed);
        limits.count(&caller, [1; 32]).expect("a second later");
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
        for (wait_ms, right) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(wait_ms)), right, "{wait_ms} ms");
        }
    }
}
