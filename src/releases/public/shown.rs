//! Which release is answered from, and its atoms as they may be shown now.

use std::sync::Arc;

use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Code, Error, Result};
use crate::http::query::{self, Pairs};
use crate::ids::{Id, ReleaseId};
use crate::releases::public::view::StampView;
use crate::releases::store;
use crate::releases::types::{Release, ReleasedAtom, State};

/// A release that is shown, with its atoms; those that are withdrawn have no figure.
pub struct Shown {
    /// The release.
    pub release: Release,
    /// The release, as everybody sees it.
    pub stamp: StampView,
    /// Its atoms, in their order.
    pub atoms: Arc<[ReleasedAtom]>,
}

/// Returns the release `wanted`, or the newest that is not withdrawn.
///
/// # Errors
/// `NotFound` where there is none, `ReleaseWithdrawn`, and when the database fails.
pub fn find_shown(
    conn: &mut DbConn,
    context: &Context,
    wanted: Option<ReleaseId>,
) -> Result<Shown> {
    let found = if let Some(id) = wanted {
        store::find_release(conn, id)?
    } else {
        let published = store::list_published(conn)?;
        published.into_iter().find(|release| release.state() == State::Published)
    };
    let release = found.ok_or_else(Error::not_found)?;
    let stamp = StampView::of(&release).ok_or_else(Error::not_found)?;
    if release.state() == State::Withdrawn {
        return Err(Error::new(Code::ReleaseWithdrawn));
    }
    let mut atoms = context.shelf.get(conn, release.row_id)?;
    if release.withdrawn_months().next().is_some() {
        let hide = |atom: &ReleasedAtom| {
            let incidents = atom.incidents.filter(|_| release.shows(atom));
            ReleasedAtom { incidents, ..atom.clone() }
        };
        atoms = atoms.iter().map(hide).collect();
    }
    Ok(Shown { release, stamp, atoms })
}

/// Takes `release` out of `pairs`.
///
/// # Errors
/// `InvalidParameter`.
pub fn take_release(pairs: &mut Pairs) -> Result<Option<ReleaseId>> {
    let text = pairs.take_one("release")?;
    let id = |text: String| {
        Id::parse(&text).ok_or_else(|| {
            query::invalid(
                "release",
                "a release is named by its UUID: see GET /v1/public/releases",
                "une publication se désigne par son UUID : voir GET /v1/public/releases",
            )
        })
    };
    text.map(id).transpose()
}
