//! How cases went from hand to hand: rows that stay, each with its reason sealed.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, RunQueryDsl};

use crate::db::dialect::DbConn;
use crate::db::schema::case_moves;
use crate::db::sealed;
use crate::error::Result;
use crate::ids::{CaseMoveId, UserId};
use crate::seal::envelope::{Owner, OwnerKind, Part, Sealer};

/// How a case went from hand to hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveKind {
    /// Somebody took it over that another worked on.
    TakenOver,
    /// It was given to somebody, or to nobody.
    Assigned,
}

impl MoveKind {
    /// Returns its stored code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakenOver => "taken_over",
            Self::Assigned => "assigned",
        }
    }
}

/// A case that goes from hand to hand.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// Row id of the incident.
    pub incident: i64,
    /// How.
    pub kind: MoveKind,
    /// Whose it was.
    pub from: Option<UserId>,
    /// Whose it is.
    pub to: Option<UserId>,
    /// Who did it.
    pub by: UserId,
    /// Why, where that was told; sealed.
    pub reason: Option<&'a str>,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// Stores a move with its reason sealed.
///
/// # Errors
/// When the database fails or the reason cannot be sealed.
pub fn insert_move(conn: &mut DbConn, sealer: &Sealer, moved: &Move<'_>) -> Result<()> {
    let id = CaseMoveId::random();
    diesel::insert_into(case_moves::table)
        .values((
            case_moves::uuid.eq(id),
            case_moves::incident_id.eq(moved.incident),
            case_moves::kind.eq(moved.kind.as_str()),
            case_moves::from_user.eq(moved.from),
            case_moves::to_user.eq(moved.to),
            case_moves::moved_by.eq(moved.by),
            case_moves::moved_at.eq(moved.now.naive_utc()),
        ))
        .execute(conn)?;
    if let Some(reason) = moved.reason {
        let owner = Owner { kind: OwnerKind::CaseMove, id: id.uuid() };
        let sealed_reason = sealer.seal(owner, Part::Reason, 1, reason.as_bytes())?;
        sealed::insert_part(conn, owner, Part::Reason, 1, &sealed_reason)?;
    }
    Ok(())
}
