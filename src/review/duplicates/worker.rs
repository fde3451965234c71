//! The thread that looks for likely duplicates of what changed, as long as the server runs.
//!
//! Several servers may work on one database: one of them has the turn, and gives it back when there is no more to do. What
//! it found is stored in the transaction that moves the position on, so that what a dying process left undone is done by
//! the next one from the same place, and the same again changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::web::Data;

use crate::context::Context;
use crate::db::dialect::{self, DbConn};
use crate::db::rows::Any;
use crate::error::Result;
use crate::ids::Id;
use crate::review::duplicates::blocks::{Blocks, put_blocks};
use crate::review::duplicates::load::{Loaded, Memory, load, open};
use crate::review::duplicates::score::{Comparison, LIKELY, compare, most};
use crate::review::duplicates::store::{self, Pair, Position};

/// How often it is looked whether something changed.
const PAUSE: Duration = Duration::from_secs(1);
/// Changes looked at in one transaction.
const AT_ONCE: i64 = 32;
/// Texts opened for one incident, of those that may be likely the likeliest by all else.
const MOST_OPENED: usize = 60;
/// Duplicates kept of one incident that stands in a flood.
const MOST_KEPT: usize = 50;

/// The running thread; it ends when this is dropped, after the step it is at.
#[derive(Debug)]
pub struct Worker {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub fn start(context: &Data<Context>) -> Self {
        let (end, ended) = channel();
        let context = context.clone();
        let thread = std::thread::spawn(move || {
            loop {
                if let Err(error) = work(&context, &ended) {
                    let code = error.code.as_str();
                    tracing::warn!(code, "likely duplicates were not looked for");
                }
                if !matches!(ended.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A panic has been told by its thread.
            drop(thread.join());
        }
    }
}

fn work(context: &Context, ended: &Receiver<()>) -> Result<()> {
    run_while(context, || matches!(ended.try_recv(), Err(TryRecvError::Empty)))
}

/// Looks at once at all that changed, unless another server is at it; for tests and whoever has no time for a thread.
///
/// # Errors
/// When the database fails.
pub fn run_once(context: &Context) -> Result<()> {
    run_while(context, || true)
}

fn run_while(context: &Context, is_wanted: impl Fn() -> bool) -> Result<()> {
    let server = Id::random();
    let (mut has_turn, mut memory) = (false, Memory::default());
    let worked = loop {
        if !is_wanted() {
            break Ok(());
        }
        match step(context, &mut memory, server) {
            Ok(Step::Done) => has_turn = true,
            Ok(Step::NothingToDo | Step::NotOurs) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    if has_turn {
        context.db.write_here(move |tx| Ok(store::give_back(tx.conn, server)?))?;
    }
    worked
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Some changes were looked at.
    Done,
    /// There are none.
    NothingToDo,
    /// Another server has the turn.
    NotOurs,
}

/// Looks at the next changes, in the turn of `server`, which keeps it until it is given back or ends by itself.
///
/// # Errors
/// When the database fails; nothing is lost then.
pub fn step(context: &Context, memory: &mut Memory, server: Id<Any>) -> Result<Step> {
    let now = context.clock.now();
    let next = context.db.read_here(find_next)?;
    let Some((before, after, changed)) = next else { return Ok(Step::NothingToDo) };
    let loaded = context.db.read_here(|conn| load(conn, context, &changed))?;
    let blocks: BTreeMap<i64, Option<Blocks>> = changed
        .iter()
        .map(|id| (*id, loaded.get(id).map(|loaded| loaded.blocks.clone())))
        .collect();
    // Found by each other before any of them looks for the others.
    let is_ours = context.db.write_here(move |tx| {
        let is_ours = store::take_turn(tx.conn, server, now)?;
        if is_ours {
            put_blocks(tx.conn, &blocks)?;
        }
        Ok(is_ours)
    })?;
    if !is_ours {
        return Ok(Step::NotOurs);
    }
    let (mut found, mut floods) = (BTreeMap::new(), BTreeSet::new());
    for id in loaded.keys() {
        let looked = context.db.read_here(|conn| look_up(conn, context, memory, *id))?;
        floods.extend(looked.is_flood.then_some(*id));
        found.extend(looked.likely);
    }
    let (looked, veiled) = (
        changed.into_iter().collect::<BTreeSet<i64>>(),
        store::veil_pairs(&context.keys.place_veil(), found)?,
    );
    let is_stored = context.db.write_here(move |tx| {
        let is_ours = store::move_on(tx.conn, server, (before, after))?;
        if is_ours {
            store::replace(tx.conn, &looked, &veiled, &floods, now)?;
        }
        Ok(is_ours)
    })?;
    Ok(if is_stored { Step::Done } else { Step::NotOurs })
}

type Next = (Position, Position, Vec<i64>);

/// Returns where it stands, where it will, and the incidents that changed in between, each once.
fn find_next(conn: &mut DbConn) -> Result<Option<Next>> {
    let before = store::find_position(conn)?;
    let next = store::list_next(conn, before, AT_ONCE)?;
    let Some(after) = next.last().copied() else { return Ok(None) };
    let changed: BTreeSet<i64> = next.into_iter().map(|(_, incident)| incident).collect();
    Ok(Some((before, after, changed.into_iter().collect())))
}

/// What was found of one incident.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    /// What it is likely one with.
    pub likely: BTreeMap<Pair, Comparison>,
    /// There were more to compare it with than were looked at.
    pub is_flood: bool,
}

/// Compares one incident with its neighbours.
///
/// # Errors
/// When the database fails or a part does not open.
pub fn look_up(
    conn: &mut DbConn,
    context: &Context,
    memory: &mut Memory,
    incident: i64,
) -> Result<Looked> {
    dialect::snapshot(conn, |conn| look_up_in(conn, context, memory, incident))
}

fn look_up_in(
    conn: &mut DbConn,
    context: &Context,
    memory: &mut Memory,
    incident: i64,
) -> Result<Looked> {
    let Some(mut this) = load(conn, context, &[incident])?.remove(&incident) else {
        return Ok(Looked::default());
    };
    let neighbours = this.blocks.find_neighbours(conn)?;
    let ids: Vec<i64> = neighbours.ids.into_iter().filter(|id| *id != incident).collect();
    let others = load(conn, context, &ids)?;
    let mut likely: Vec<(i16, Loaded)> = others
        .into_values()
        .map(|other| (most(&this.account, &other.account), other))
        .filter(|(score, _)| *score >= LIKELY)
        .collect();
    likely.sort_by_key(|(score, other)| (-score, -other.account.incident));
    let mut is_flood = neighbours.is_flood || likely.len() > MOST_OPENED;
    likely.truncate(MOST_OPENED);
    if likely.is_empty() {
        return Ok(Looked { is_flood, ..Looked::default() });
    }
    let mut opened: Vec<&mut Loaded> = likely.iter_mut().map(|(_, other)| other).collect();
    opened.push(&mut this);
    open(conn, context, memory, &mut opened)?;
    let mut compared: Vec<(Pair, Comparison)> = likely
        .iter()
        .filter_map(|(_, other)| {
            let other = &other.account;
            let comparison = compare(&this.account, other)?;
            let pair = (incident.min(other.incident), incident.max(other.incident));
            (comparison.score >= LIKELY).then_some((pair, comparison))
        })
        .collect();
    compared.sort_by_key(|(pair, comparison)| (-comparison.score, *pair));
    is_flood |= compared.len() > MOST_KEPT;
    compared.truncate(MOST_KEPT);
    Ok(Looked { likely: compared.into_iter().collect(), is_flood })
}
