//! Tells a person how far a long command is.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::backup;
use crate::cli::tell;

/// Tells a person how far it is: in one line on a terminal, elsewhere a line now and then.
pub(super) struct Progress {
    what: String,
    every: usize,
    shown: usize,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new(what: impl Into<String>, every: usize) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { what: what.into(), every, shown: 0, is_terminal }
    }

    pub(super) fn show(&mut self, n: usize) {
        if n / self.every == self.shown / self.every {
            return;
        }
        self.shown = n;
        if self.is_terminal {
            write_over(&format!("{n} {}", self.what));
        } else {
            tell(&format!("{n} {}", self.what));
        }
    }

    pub(super) fn end(&self) {
        if self.is_terminal && self.shown > 0 {
            write_over("");
        }
    }
}

/// Tells a person how many of all rows are done and how fast.
pub(super) struct RowProgress {
    verb: &'static str,
    begun_at: Instant,
    told_at: Option<Instant>,
    is_terminal: bool,
}

impl RowProgress {
    pub(super) fn new(verb: &'static str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { verb, begun_at: Instant::now(), told_at: None, is_terminal }
    }

    pub(super) fn show(&mut self, progress: backup::Progress<'_>) {
        let pause = Duration::from_millis(if self.is_terminal { 200 } else { 2_000 });
        if self.told_at.is_some_and(|told_at| told_at.elapsed() < pause) {
            return;
        }
        self.told_at = Some(Instant::now());
        let text = describe_progress(self.verb, progress, self.begun_at.elapsed());
        if self.is_terminal { write_over(&text) } else { tell(&text) }
    }

    pub(super) fn end(&self) {
        if self.is_terminal {
            write_over("");
        }
    }
}

fn describe_progress(verb: &str, progress: backup::Progress<'_>, elapsed: Duration) -> String {
    let backup::Progress { table, n_done, n_total } = progress;
    let percent = (n_done * 100).checked_div(n_total).unwrap_or(100);
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    format!(
        "{n_done} of {n_total} rows {verb} ({percent} %, {}/s), now {table}",
        n_done.saturating_mul(1_000) / ms
    )
}

/// Writes `text` in the place of the line before it.
#[expect(clippy::print_stderr, reason = "commands speak to people on standard error")]
fn write_over(text: &str) {
    eprint!("\r\u{1b}[K{text}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::backup::Progress;
    use crate::cli::progress::describe_progress;

    #[test]
    fn progress_says_rows_percent_and_rate_and_an_empty_database_is_all_done() {
        let half = Progress { table: "reports", n_done: 500, n_total: 1_000 };
        let empty = Progress { table: "reports", n_done: 0, n_total: 0 };

        assert_eq!(
            describe_progress("saved", half, Duration::from_secs(2)),
            "500 of 1000 rows saved (50 %, 250/s), now reports"
        );
        assert_eq!(
            describe_progress("loaded", empty, Duration::ZERO),
            "0 of 0 rows loaded (100 %, 0/s), now reports"
        );
    }
}
