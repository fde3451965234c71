//! `keys`: the instance key is changed, written down and written back; all of it works beside running servers.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::progress::Progress;
use crate::cli::{CommandError, answer, open, tell};
use crate::config::StoreConfig;
use crate::context::{Context, KeyPlace};
use crate::keys::files::{KeyFileError, NextFile};
use crate::keys::paper::recovery_form;
use crate::keys::rotation::{Pass, begin, finish, rewrap_all};
use crate::keys::store::{KeyCount, Rotation, count_data_keys, find_state};
use crate::seal::key::InstanceKey;

/// Passes that may find data keys under the old key after servers had time to take the new one up, one a second.
const MOST_PASSES: usize = 30;

/// Longest text that is read as a key.
const TEXT_LIMIT_BYTES: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Change the instance key beside running servers. May be stopped at any point: run again, it goes on.
    Rotate(RotateArgs),
    /// Say which key is in use, where it lies, what is under it and whether it is being changed.
    Status {
        /// Answer as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreConfig,
    },
    /// Print the key as a page to keep on paper, in English and French: whoever reads it can open every report.
    Recovery {
        #[command(flatten)]
        store: StoreConfig,
    },
    /// Write a key file again from its recovery text, which is read from standard input.
    Restore {
        /// File to write; one that is there is never overwritten.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct RotateArgs {
    /// File for the new key; one that is there already is taken. Without it the new key takes the place of the file in use,
    /// and the old one is kept beside it to be destroyed.
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    /// Seconds that running servers have to take the new key up before the old one is retired; they look once a second.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    wait: u16,
    /// Answer as JSON; the recovery text is not in it, see `keys recovery`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreConfig,
}

pub(super) fn keys(command: &KeysCommand) -> Result<(), CommandError> {
    match command {
        KeysCommand::Rotate(args) => rotate(args),
        KeysCommand::Status { json, store } => show_status(store, *json),
        KeysCommand::Recovery { store } => print_recovery(store),
        KeysCommand::Restore { to } => restore(to),
    }
}

fn rotate(args: &RotateArgs) -> Result<(), CommandError> {
    let started_at = Instant::now();
    let context = Arc::new(open(&args.store)?);
    let running = context.db.read_here(|conn| Ok(find_state(conn)?.running))?;
    let next = choose_file(&context.key_place, args.new_key_file.as_deref(), running.is_some())?;
    let rotation = match (running, &next) {
        (Some(rotation), next) => go_on(&context, next.as_ref(), rotation)?,
        (None, Some(next)) => start(&context, next, args.json)?,
        (None, None) => return Err(CommandError::Usage("there is no file for the new key".into())),
    };
    let begun_at = Instant::now();
    let mut n_rewrapped = rewrap_with_progress(&context, &rotation)?;
    let kept = place(&context, next.as_ref(), &rotation)?;

    let wait = Duration::from_secs(args.wait.into());
    std::thread::sleep(wait.saturating_sub(begun_at.elapsed()));
    let last = rewrap_until_none(&context, &rotation)?;
    n_rewrapped += last.n_rewrapped;
    finish(&context, &rotation)?;
    let (n_damaged, seconds) = (last.n_damaged, started_at.elapsed().as_secs_f64());
    let done = Done { n_rewrapped, n_damaged, seconds };
    answer_done(args.json, &rotation, &done, (next.as_ref(), kept.as_deref()));
    Ok(())
}

/// Returns where the new key goes; nowhere where a run goes on whose key is not in a file this one knows of.
fn choose_file(
    place: &KeyPlace,
    given: Option<&Path>,
    is_running: bool,
) -> Result<Option<NextFile>, CommandError> {
    match NextFile::choose(place, given) {
        Err(KeyFileError::NoFile(_)) if is_running => Ok(None),
        chosen => Ok(Some(chosen?)),
    }
}

fn go_on(
    context: &Arc<Context>,
    next: Option<&NextFile>,
    rotation: Rotation,
) -> Result<Rotation, CommandError> {
    tell(&format!(
        "going on: the instance key {} is being changed to {} since {}",
        rotation.old_id, rotation.new_id, rotation.begun_at
    ));
    if let (Some(next), Some(key)) = (next, context.sealer.find_key(&rotation.new_id)) {
        next.ensure(&context.key_place, &key)?;
    }
    Ok(rotation)
}

/// Makes the new key, shows its recovery text once, and begins; the file is on disk before.
fn start(context: &Arc<Context>, next: &NextFile, as_json: bool) -> Result<Rotation, CommandError> {
    let key = next.make(&context.key_place, &context.sealer.instance_key())?;
    if !as_json {
        let words = Zeroizing::new(format!(
            "The new instance key {} is in {}.\n\
             Write this recovery text down and keep it apart; without it or the file nothing can be read:\n\n    {}\n",
            key.id(),
            next.path().display(),
            key.recovery_text().as_str()
        ));
        answer(&words);
    }
    Ok(begin(context, &Arc::new(key))?)
}

fn rewrap_with_progress(
    context: &Arc<Context>,
    rotation: &Rotation,
) -> Result<usize, CommandError> {
    let counts = context.db.read_here(|conn| Ok(count_data_keys(conn)?))?;
    let n_old = count_under(&counts, &rotation.old_id);
    let mut progress = Progress::new(format!("of {n_old} data keys wrapped anew"), 10_000);
    let pass = rewrap_all(context, rotation, &mut |n| progress.show(n))?;
    progress.end();
    Ok(pass.n_rewrapped)
}

/// Wraps anew what servers sealed under the old key before they took the new one up, until a pass finds nothing.
fn rewrap_until_none(context: &Arc<Context>, rotation: &Rotation) -> Result<Pass, CommandError> {
    let mut all = Pass::default();
    for _ in 0..MOST_PASSES {
        let pass = rewrap_all(context, rotation, &mut |_| {})?;
        all = Pass { n_rewrapped: all.n_rewrapped + pass.n_rewrapped, ..pass };
        if pass.n_rewrapped == 0 {
            return Ok(all);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Err(CommandError::Usage(format!(
        "a server still seals under the old key {}, so it was not retired: is there one of an earlier version? Start it \
         anew, then run `keys rotate` again",
        rotation.old_id
    )))
}

fn count_under(counts: &[KeyCount], key_id: &str) -> i64 {
    counts.iter().find(|count| count.key_id == key_id).map_or(0, |count| count.n_data_keys)
}

/// Puts the new key in the place of the old one while both open everything; returns where the old one is kept.
fn place(
    context: &Arc<Context>,
    next: Option<&NextFile>,
    rotation: &Rotation,
) -> Result<Option<PathBuf>, CommandError> {
    let find = |id: &str| context.sealer.find_key(id);
    match (next, find(&rotation.old_id), find(&rotation.new_id)) {
        (Some(next), Some(old), Some(new)) => Ok(next.place(&old, &new)?),
        _ => Ok(None),
    }
}

struct Done {
    n_rewrapped: usize,
    n_damaged: usize,
    seconds: f64,
}

fn answer_done(
    as_json: bool,
    rotation: &Rotation,
    done: &Done,
    (next, kept): (Option<&NextFile>, Option<&Path>),
) {
    let file = next.map(NextFile::final_path);
    if as_json {
        let told = json!({
            "from": rotation.old_id, "to": rotation.new_id, "data_keys": done.n_rewrapped,
            "damaged": done.n_damaged, "seconds": done.seconds, "key_file": file, "old_key_file": kept,
        });
        answer(&told.to_string());
        return;
    }
    let mut lines = vec![format!(
        "The instance key is {} now: {} data keys wrapped anew in {:.1} s. Key {} opens nothing any more.",
        rotation.new_id, done.n_rewrapped, done.seconds, rotation.old_id
    )];
    if done.n_damaged > 0 {
        lines.push(format!(
            "{} data keys are damaged: no key opens them, and what they sealed is lost. Restore them from a backup.",
            done.n_damaged
        ));
    }
    match next {
        Some(NextFile::InPlace { current, .. }) => lines.push(format!(
            "It lies at {}; give it to servers on other machines too.",
            current.display()
        )),
        Some(NextFile::Apart(path)) => lines.push(format!(
            "Before any server starts again, point it at {} (--key-file or SENTINELLE_KEY_FILE).",
            path.display()
        )),
        None => lines.push("Before any server starts again, give it the new key.".to_owned()),
    }
    let old = kept.map_or_else(|| "the old key".to_owned(), |path| path.display().to_string());
    lines.push(format!(
        "Destroy {old} once no backup made under it is kept: only such backups still need it. \
         Print the new key with `sentinelle keys recovery`."
    ));
    answer(&lines.join("\n"));
}

fn show_status(config: &StoreConfig, as_json: bool) -> Result<(), CommandError> {
    let context = open(config)?;
    let (state, counts) =
        context.db.read_here(|conn| Ok((find_state(conn)?, count_data_keys(conn)?)))?;
    let key = context.sealer.instance_key();
    let (current, running) = (key.id(), state.running.as_ref());
    let others = || counts.iter().filter(|count| count.key_id != current);
    let (place, file) = (name_place(&context.key_place), context.key_place.path());
    if as_json {
        let under: serde_json::Map<String, serde_json::Value> =
            others().map(|count| (count.key_id.clone(), count.n_data_keys.into())).collect();
        let rotation = running.map(|rotation| {
            json!({ "from": rotation.old_id, "to": rotation.new_id, "begun_at": rotation.begun_at.and_utc() })
        });
        let told = json!({
            "key": current, "place": place, "file": file, "data_keys": count_under(&counts, current),
            "data_keys_under_others": under, "rotation": rotation,
        });
        answer(&told.to_string());
        return Ok(());
    }
    let at = file.map_or_else(String::new, |file| format!(" ({})", file.display()));
    let mut lines = vec![format!(
        "key {current}, from {place}{at}\n{} data keys under it",
        count_under(&counts, current)
    )];
    lines.extend(others().map(|other| format!("{} under key {}", other.n_data_keys, other.key_id)));
    lines.push(running.map_or_else(
        || "it is not being changed".to_owned(),
        |rotation| {
            format!(
                "it is being changed from {} since {}: where no `sentinelle keys rotate` runs, run it again",
                rotation.old_id, rotation.begun_at
            )
        },
    ));
    answer(&lines.join("\n"));
    Ok(())
}

fn name_place(place: &KeyPlace) -> &'static str {
    match place {
        KeyPlace::File(_) => "file",
        KeyPlace::Credential(_) => "credential",
        KeyPlace::Environment => "environment",
        KeyPlace::BesideData(_) => "data_folder",
    }
}

fn print_recovery(config: &StoreConfig) -> Result<(), CommandError> {
    let context = open(config)?;
    tell("this page is the key itself: print it, keep it as it says, and leave no copy on a disk");
    let on = context.clock.now().date_naive();
    answer(&recovery_form(&context.sealer.instance_key(), on));
    Ok(())
}

fn restore(to: &Path) -> Result<(), CommandError> {
    if std::io::stdin().is_terminal() {
        tell("type the twelve groups of the recovery text, then Enter and Ctrl-D");
    }
    let mut text = Zeroizing::new(String::with_capacity(8_192));
    std::io::stdin().lock().take(TEXT_LIMIT_BYTES).read_to_string(&mut text)?;
    let key = InstanceKey::from_text(&text)
        .map_err(|error| CommandError::Usage(format!("{error}; nothing was written")))?;
    key.create_file(to).map_err(KeyFileError::from)?;
    answer(&format!("key {} is in {}", key.id(), to.display()));
    tell(&format!(
        "`sentinelle doctor --key-file {}` says whether it opens the data",
        to.display()
    ));
    Ok(())
}
