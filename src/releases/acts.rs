//! What is done to releases: drafted, approved by a second person, withdrawn. Each is one transaction with its entry in the
//! audit log.

use chrono::{DateTime, Datelike, Duration, Utc};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::sealed;
use crate::db::writer::WriteTx;
use crate::error::{Code, Error, FieldError, Result};
use crate::ids::{ReleaseId, ReleaseWithdrawalId, UserId};
use crate::keys::opening;
use crate::releases::build::{Built, Span, build};
use crate::releases::file::hash_atoms;
use crate::releases::partition::Rule;
use crate::releases::period::Month;
use crate::releases::store;
use crate::releases::types::{Release, State};
use crate::seal::envelope::{Owner, OwnerKind, Part};

/// How long a draft may wait for its approval: a source may withdraw consent meanwhile, or a report be erased.
const MAX_DRAFT_AGE: Duration = Duration::days(7);

/// Who acts, and when.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    /// The coordinator.
    pub id: UserId,
    /// The server's clock.
    pub now: DateTime<Utc>,
}

/// Drafts a release of what `span` covers, under `rule`; every release of a running instance is under
/// [`Rule::STANDARD`].
///
/// # Errors
/// `InvalidFields` where the months cannot be; the database's failure.
pub fn draft(context: &Context, rule: Rule, span: Span, actor: Actor) -> Result<ReleaseId> {
    let built = context.db.read_here(|conn| count(conn, context, rule, span, actor))?;
    context.db.write_here(move |tx| store_draft(tx, &built, rule, actor))
}

/// Counts and divides what is to be drafted.
///
/// # Errors
/// As [`draft`].
pub fn count(
    conn: &mut DbConn,
    context: &Context,
    rule: Rule,
    span: Span,
    actor: Actor,
) -> Result<Built> {
    let this_month = Month::new(actor.now.year(), actor.now.month());
    if this_month.is_none_or(|this_month| span.last >= this_month) {
        return Err(invalid(
            "/until",
            format!("{} is not over: a release covers whole months that are", span.last),
            format!("{} n'est pas terminé : une publication couvre des mois entiers", span.last),
        ));
    }
    require_order(span.first.unwrap_or(span.last), span.last)?;
    let (first, last) = (span.first, span.last);
    let built = build(conn, context, rule, span)?;
    if first.is_some_and(|first| first != built.first) {
        return Err(invalid(
            "/from",
            format!("releases begin with {}, as the first one did", built.first),
            format!("les publications commencent par {}, comme la première", built.first),
        ));
    }
    if built.last != last {
        return Err(invalid(
            "/until",
            format!("the release before goes to {}: go on from there", built.last),
            format!("la publication précédente va jusqu'à {} : partez de là", built.last),
        ));
    }
    Ok(built)
}

fn require_order(first: Month, last: Month) -> Result<()> {
    if first <= last {
        return Ok(());
    }
    Err(invalid(
        "/from",
        format!("{first} is after {last}"),
        format!("{first} est postérieur à {last}"),
    ))
}

fn invalid(pointer: &str, en: String, fr: String) -> Error {
    Error::invalid(vec![FieldError::new(pointer, en, fr)])
}

/// Stores what was counted as a draft.
///
/// # Errors
/// The database's failure.
pub fn store_draft(
    tx: &mut WriteTx<'_>,
    built: &Built,
    rule: Rule,
    actor: Actor,
) -> Result<ReleaseId> {
    let id = ReleaseId::random();
    store::insert_draft(tx.conn, id, (built, rule), (actor.id, actor.now.naive_utc()))?;
    let entry = Entry::new(Act::BuiltRelease, id, actor.now).by(Some(actor.id));
    tx.record(entry.detail(format!("{} {}", built.first, built.last)));
    Ok(id)
}

/// Publishes a draft as the next version.
///
/// # Errors
/// `NotFound`; `SecondPersonNeeded`; `ReleaseState` where it is no draft or an old one, or another was published since it was
/// built; the database's failure.
pub fn approve(tx: &mut WriteTx<'_>, id: ReleaseId, actor: Actor) -> Result<Release> {
    let release = store::find_release(tx.conn, id)?.ok_or_else(Error::not_found)?;
    if release.state() != State::Draft {
        return Err(state("it was published before", "elle a déjà été publiée"));
    }
    if release.built_by == actor.id {
        return Err(Error::new(Code::SecondPersonNeeded).detail(
            "you drafted it: another coordinator approves it",
            "vous l'avez préparée : un autre coordinateur l'approuve",
        ));
    }
    if actor.now - release.built_at > MAX_DRAFT_AGE {
        let days = MAX_DRAFT_AGE.num_days();
        return Err(state(
            &format!(
                "it was drafted more than {days} days ago, consent may have changed since: draft it again"
            ),
            &format!(
                "elle a été préparée il y a plus de {days} jours, un consentement peut avoir changé : préparez-la à nouveau"
            ),
        ));
    }
    let last = store::find_last_published(tx.conn)?;
    if last.map(|(row_id, _)| row_id) != release.based_on {
        return Err(outdated());
    }
    require_whole(tx.conn, &release)?;
    let version = last.map_or(0, |(_, version)| version) + 1;
    let by = (actor.id, actor.now.naive_utc());
    store::insert_approval(tx.conn, release.row_id, version, by).map_err(overtaken)?;
    let entry = Entry::new(Act::ApprovedRelease, id, actor.now).by(Some(actor.id));
    tx.record(entry.detail(version.to_string()));
    store::find_release(tx.conn, id)?.ok_or_else(Error::not_found)
}

/// Looks once more at what is about to be told.
fn require_whole(conn: &mut DbConn, release: &Release) -> Result<()> {
    let atoms = store::list_atoms(conn, release.row_id)?;
    let is_enough = |incidents: u32| incidents == 0 || incidents >= release.rule.k;
    let is_right = atoms.iter().filter_map(|atom| atom.incidents).all(is_enough)
        && hash_atoms(&atoms) == release.sha256;
    if is_right { Ok(()) } else { Err(Error::internal("a draft is not as it was built")) }
}

fn state(en: &str, fr: &str) -> Error {
    Error::new(Code::ReleaseState).detail(en, fr)
}

fn outdated() -> Error {
    state(
        "another release was published since this one was built: build it again",
        "une autre publication est parue depuis sa préparation : préparez-la à nouveau",
    )
}

fn overtaken(error: DieselError) -> Error {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => outdated(),
        error => error.into(),
    }
}

/// Withdraws a published release, or every atom that touches these months. What others hold of it stays in their hands.
///
/// # Errors
/// `NotFound`; `ReleaseState` where it is not public; `InvalidFields` for months it does not cover; the database's failure.
pub fn withdraw(
    tx: &mut WriteTx<'_>,
    context: &Context,
    id: ReleaseId,
    (months, reason): (Option<(Month, Month)>, &str),
    actor: Actor,
) -> Result<Release> {
    let release = store::find_release(tx.conn, id)?.ok_or_else(Error::not_found)?;
    if release.state() != State::Published {
        return Err(state("it is not public", "elle n'est pas publique"));
    }
    if let Some((first, last)) = months {
        require_order(first, last)?;
        if first < release.first || last > release.last {
            return Err(invalid(
                "/from",
                format!("the release covers {} to {}", release.first, release.last),
                format!("la publication couvre {} à {}", release.first, release.last),
            ));
        }
    }
    let withdrawal = ReleaseWithdrawalId::random();
    let by = (actor.id, actor.now.naive_utc());
    store::insert_withdrawal(tx.conn, withdrawal, (release.row_id, months), by)?;
    let owner = Owner { kind: OwnerKind::ReleaseWithdrawal, id: withdrawal.uuid() };
    let why = context.sealer.seal(owner, Part::Reason, 1, reason.as_bytes())?;
    sealed::insert_part(tx.conn, owner, Part::Reason, 1, &why)?;
    let detail = months.map_or("all".to_owned(), |(first, last)| format!("{first} {last}"));
    let entry = Entry::new(Act::WithdrewRelease, id, actor.now).by(Some(actor.id));
    tx.record(entry.detail(detail));
    store::find_release(tx.conn, id)?.ok_or_else(Error::not_found)
}

/// Returns why a release, or months of it, were withdrawn, in order. Whoever calls has written the audit entry.
///
/// # Errors
/// When the database fails or a reason does not open.
pub fn open_reasons(
    conn: &mut DbConn,
    context: &Context,
    release: &Release,
) -> Result<Vec<String>> {
    let mut reasons = Vec::new();
    for id in store::list_withdrawal_ids(conn, release.row_id)? {
        let owner = Owner { kind: OwnerKind::ReleaseWithdrawal, id: id.uuid() };
        let found = sealed::find_part(conn, owner, Part::Reason)?;
        let Some((_, why)) = found else {
            reasons.push(String::new());
            continue;
        };
        let bytes = opening::open(conn, &context.sealer, (owner, Part::Reason, 1), &why)?;
        reasons.push(String::from_utf8(bytes.to_vec()).map_err(Error::internal)?);
    }
    Ok(reasons)
}
