//! The one place that reads the time.
//!
//! Everything else receives `now` as a parameter, so that a test can live in March 2024 and two servers agree on what
//! a millisecond is. Instants are cut to whole milliseconds: `PostgreSQL` keeps microseconds and `SQLite` nanoseconds,
//! and a value that differs by engine breaks every comparison.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time, in UTC at millisecond precision.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System { started_at: Instant },
    Given(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>),
}

impl Clock {
    /// Returns the machine's clock.
    pub fn system() -> Self {
        Self(Source::System { started_at: Instant::now() })
    }

    /// Returns a clock that answers what `tell` answers; for tests and for the demo's invented past.
    pub fn given(tell: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Source::Given(Arc::new(tell)))
    }

    /// Returns the present instant, cut to whole milliseconds.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            Source::System { .. } => Utc::now(),
            Source::Given(tell) => tell(),
        };
        now.trunc_subsecs(3)
    }

    /// Returns the time since a fixed moment, for rates and waits: setting the machine's clock does not move it. Of a
    /// given clock it is the time since 1970, so that it stands still and goes on with it.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System { started_at } => started_at.elapsed(),
            Source::Given(tell) => {
                let milliseconds = u64::try_from(tell().timestamp_millis()).unwrap_or_default();
                Duration::from_millis(milliseconds)
            }
        }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
