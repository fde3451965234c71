//! Makes the file of a job, sealed as it grows.

use actix_web::web::Data;

use crate::context::Context;
use crate::error::{Code, Error, Result};
use crate::exports::jobs::store::{self, State};
use crate::exports::run::{Made, Run};
use crate::exports::selection::{Question, Selected};
use crate::ids::ExportId;

/// Bytes of a sealed piece, at least, but for the last.
const PIECE_BYTES: usize = 512 * 1024;
/// How often a file is begun anew because it changed while it was made.
const TRIES: u32 = 3;

/// Makes the file, and says in the job's row how it ended.
pub fn make(context: &Data<Context>, id: ExportId, question: &Question, selected: Selected) {
    let mut next = Ok(selected);
    for turn in 1..=TRIES {
        let made = next.and_then(|selected| make_once(context, id, question, selected));
        match made {
            Ok(()) => return,
            Err(error) if error.code == Code::Unavailable && turn < TRIES => {
                next = again(context, id, question);
            }
            Err(error) => {
                tracing::warn!(code = error.code.as_str(), "an export could not be made");
                break;
            }
        }
    }
    let failed = context.db.write_here(move |tx| Ok(store::clear(tx.conn, id, State::Failed)?));
    if let Err(error) = failed {
        tracing::warn!(code = error.code.as_str(), "a failed export was not written down");
    }
}

/// Clears what there is and selects anew, unless the file was destroyed meanwhile.
fn again(context: &Data<Context>, id: ExportId, question: &Question) -> Result<Selected> {
    if !context.db.write_here(move |tx| Ok(store::clear(tx.conn, id, State::Running)?))? {
        return Err(Error::not_found());
    }
    let selected = context.db.read_here(|conn| question.select(conn, context, |_| false))?.1;
    selected.ok_or_else(|| Error::internal("nobody holds the file of a job"))
}

fn make_once(
    context: &Data<Context>,
    id: ExportId,
    question: &Question,
    selected: Selected,
) -> Result<()> {
    let mut run = Run::new(context, question, selected)?;
    let (mut number, mut waiting) = (0, Vec::new());
    loop {
        let piece = run.step()?;
        let is_last = piece.is_none();
        waiting.extend_from_slice(&piece.unwrap_or_default());
        if waiting.len() >= PIECE_BYTES || (is_last && !waiting.is_empty()) {
            number += 1;
            let (shared, piece) = (context.clone(), std::mem::take(&mut waiting));
            let add = move |tx: &mut crate::db::writer::WriteTx<'_>| {
                store::add_piece(tx.conn, &shared, id, (number, &piece))
            };
            context.db.write_here(add)?;
        }
        if is_last {
            break;
        }
    }
    let (made, now): (Made, _) = (run.made(), context.clock.now());
    context.db.write_here(move |tx| Ok(store::complete(tx.conn, id, &made, now)?))
}
