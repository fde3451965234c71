//! Tells a person how far a long command is.

use std::io::IsTerminal;

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

/// Writes `text` in the place of the line before it.
#[expect(clippy::print_stderr, reason = "commands speak to people on standard error")]
fn write_over(text: &str) {
    eprint!("\r\u{1b}[K{text}");
}
