//! `doctor`: looks at key, disk and database without a running server.

use std::process::ExitCode;

use crate::cli::{CommandError, answer, open};
use crate::config::StoreConfig;
use crate::context::Context;
use crate::db::dialect::Target;
use crate::health::{Finding, HealthView, examine, summarise};
use crate::keys::files::list_old_files;
use crate::new_file::list_unfinished;

/// Says what it finds; exits with failure when something is broken.
pub(super) fn doctor(store: &StoreConfig, as_json: bool) -> Result<ExitCode, CommandError> {
    let target = Target::parse(&store.url()).map_err(crate::context::StartError::from)?;
    let mut view = match look(store, &target) {
        Ok(context) => {
            let mut view = examine(&context);
            view.findings.extend(old_key_finding(&context));
            view.findings.extend(unfinished_finding(&context));
            view
        }
        Err(error) => {
            summarise(vec![Finding { name: "start", state: "failed", note: error.to_string() }])
        }
    };
    if target.file().is_some() {
        view.findings.push(disk_finding(store));
    }
    let view = summarise(view.findings);
    if as_json {
        answer(&serde_json::to_string(&view).map_err(std::io::Error::from)?);
    } else {
        answer(&for_people(&view));
    }
    Ok(if view.status == "ok" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Opens what is there; a mistyped folder must not become a new database with a new key.
fn look(store: &StoreConfig, target: &Target) -> Result<Context, CommandError> {
    match target.file().filter(|path| !path.exists()) {
        Some(path) => Err(CommandError::Usage(format!(
            "there is no database at {}: check --data-dir, or start the service once",
            path.display()
        ))),
        None => open(store),
    }
}

fn for_people(view: &HealthView) -> String {
    let lines = view
        .findings
        .iter()
        .map(|finding| format!("{:8} {:10} {}", finding.state, finding.name, finding.note));
    lines.collect::<Vec<_>>().join("\n")
}

/// Says that a retired instance key still lies beside the one in use.
fn old_key_finding(context: &Context) -> Option<Finding> {
    let old = context.key_place.path().map(list_old_files).filter(|old| !old.is_empty())?;
    let names: Vec<String> = old.iter().map(|path| path.display().to_string()).collect();
    Some(Finding {
        name: "old_key",
        state: "warning",
        note: format!(
            "{} opens nothing but backups made under it: destroy it when none of them is kept",
            names.join(", ")
        ),
    })
}

/// Says that a process was killed while it wrote a file beside the key, maybe the key itself.
fn unfinished_finding(context: &Context) -> Option<Finding> {
    let left = context.key_place.path().map(list_unfinished).filter(|left| !left.is_empty())?;
    let names: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
    Some(Finding {
        name: "unfinished_files",
        state: "warning",
        note: format!(
            "{} may hold a key, and nothing reads it: destroy it unless a command is writing it now",
            names.join(", ")
        ),
    })
}

/// Writes and syncs a small file beside the data: a disk that is full or read-only shows here.
fn disk_finding(store: &StoreConfig) -> Finding {
    let tried = tempfile::tempfile_in(&store.data_dir).and_then(|mut file| {
        std::io::Write::write_all(&mut file, &vec![0; 64 * 1024])?;
        file.sync_all()
    });
    match tried {
        Ok(()) => {
            Finding { name: "disk", state: "ok", note: "takes and keeps what is written".into() }
        }
        Err(error) => Finding {
            name: "disk",
            state: "failed",
            note: format!("cannot write to {}: {error}", store.data_dir.display()),
        },
    }
}
