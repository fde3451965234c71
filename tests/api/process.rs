//! The built program as a process of its own, for what only a process has: memory and an environment.

#![expect(clippy::expect_used, reason = "a test that cannot start must fail")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use crate::harness::TestApp;

/// A `sentinelle serve` on the database of a [`TestApp`]; killed when dropped.
pub(crate) struct Served {
    pub(crate) url: String,
    child: Child,
    told: Option<JoinHandle<Vec<u8>>>,
}

impl Served {
    pub(crate) fn start(app: &TestApp, zone: &str) -> Self {
        Self::start_with(app, zone, &[])
    }

    /// Like [`Served::start`], with more arguments.
    pub(crate) fn start_with(app: &TestApp, zone: &str, more: &[&str]) -> Self {
        Self::spawn(app, more, &[("TZ", zone), ("SENTINELLE_LOG", "warn")])
    }

    /// One that logs all it can and lets everybody ask without limits.
    pub(crate) fn start_talkative(app: &TestApp) -> Self {
        let limits = ["--rate-credential", "off", "--rate-account", "off", "--rate-device", "off"];
        let contact = ["--security-contact", "mailto:security@example.org"];
        let lab = ["--webhook-allow", "127.0.0.0/8"];
        Self::spawn(
            app,
            &[&limits[..], &contact[..], &lab[..]].concat(),
            &[("SENTINELLE_LOG", "trace")],
        )
    }

    fn spawn(app: &TestApp, more: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sentinelle"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--workers",
                "2",
                "--database-url",
                &app.database_url,
            ])
            .arg("--data-dir")
            .arg(app.folder.path())
            .args(more)
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut words = BufReader::new(child.stderr.take().expect("its words"));
        let url = words
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("listens on ").map(|(_, url)| url.trim().to_owned()))
            .expect("it listens");
        // Nobody may block on a full pipe.
        let told = Some(std::thread::spawn(move || {
            let mut told = Vec::new();
            words.read_to_end(&mut told).expect("its words");
            told
        }));
        Self { url, child, told }
    }

    /// Ends it as a service manager does, and returns all it said since it listened.
    pub(crate) fn end_and_tell(mut self) -> Vec<u8> {
        self.terminate();
        assert!(self.ends_well());
        self.told.take().and_then(|told| told.join().ok()).expect("its words")
    }

    /// Asks it to stop, as a service manager does.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Ends it at once, in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end; tells whether it was a good one.
    pub(crate) fn ends_well(&mut self) -> bool {
        self.child.wait().expect("it ends").success()
    }

    /// Greatest resident memory so far, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("VmHWM");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
