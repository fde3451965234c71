//! Pairs in the database, and whose turn it is to look for more.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use crate::aggregates::store::find_head;
use crate::db::dialect::DbConn;
use crate::db::rows::Any;
use crate::db::schema::{changes, duplicate_floods, duplicate_pairs, duplicate_turns};
use crate::error::{Error, Result};
use crate::ids::Id;
use crate::review::duplicates::score::{Comparison, RULES};
use crate::seal::veil::PlaceVeil;

const NAME: &str = "duplicates";
/// How long a server has for one step before another may take its turn.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Values of one statement.
const CHUNK: usize = 500;

/// A change: its number, and the row id of the incident.
pub type Position = (i64, i64);

/// Two incidents by row id, the lower first.
pub type Pair = (i64, i64);

/// A pair with what is stored of it, veiled.
pub type VeiledPair = (Pair, i16, Vec<u8>);

/// Returns the change up to which duplicates were looked for.
///
/// # Errors
/// When the database fails.
pub fn find_position(conn: &mut DbConn) -> QueryResult<Position> {
    duplicate_turns::table
        .find(NAME)
        .select((duplicate_turns::seq, duplicate_turns::incident_id))
        .first(conn)
}

/// Returns how many commits with changes came since the last one that was looked at.
///
/// # Errors
/// When the database fails.
pub fn count_behind(conn: &mut DbConn) -> QueryResult<i64> {
    let (seq, _) = find_position(conn)?;
    Ok((find_head(conn)? - seq).max(0))
}

/// Returns the next changes behind `after`, each once, in order.
///
/// # Errors
/// When the database fails.
pub fn list_next(
    conn: &mut DbConn,
    (seq, incident): Position,
    limit: i64,
) -> QueryResult<Vec<Position>> {
    let rest_of_commit = changes::seq.eq(seq).and(changes::incident_id.gt(incident));
    let columns = (changes::seq, changes::incident_id);
    let ordered = || changes::table.select(columns).distinct().order(columns);
    let mut next: Vec<Position> = ordered().filter(rest_of_commit).limit(limit).load(conn)?;
    let room = limit - i64::try_from(next.len()).unwrap_or(limit);
    if room > 0 {
        next.extend(ordered().filter(changes::seq.gt(seq)).limit(room).load::<Position>(conn)?);
    }
    Ok(next)
}

/// Takes the turn for `server`, or keeps it; tells whether it is theirs.
///
/// # Errors
/// When the database fails.
pub fn take_turn(conn: &mut DbConn, server: Id<Any>, now: DateTime<Utc>) -> QueryResult<bool> {
    let at = Some(now.naive_utc());
    let is_free = duplicate_turns::held_until.is_null().or(duplicate_turns::held_until.le(at));
    let is_ours = duplicate_turns::held_by.eq(Some(server));
    // A turn that a clock put far ahead is nobody's for ever.
    let is_absurd = duplicate_turns::held_until.gt(Some((now + LEASE * 2).naive_utc()));
    let turn = duplicate_turns::table
        .filter(duplicate_turns::name.eq(NAME))
        .filter(is_free.or(is_ours).or(is_absurd));
    let n_taken = diesel::update(turn)
        .set((
            duplicate_turns::held_by.eq(Some(server)),
            duplicate_turns::held_until.eq(Some((now + LEASE).naive_utc())),
        ))
        .execute(conn)?;
    Ok(n_taken == 1)
}

/// Gives the turn back.
///
/// # Errors
/// When the database fails.
pub fn give_back(conn: &mut DbConn, server: Id<Any>) -> QueryResult<()> {
    let turn = duplicate_turns::table.filter(duplicate_turns::held_by.eq(Some(server)));
    diesel::update(turn)
        .set((
            duplicate_turns::held_by.eq(None::<Id<Any>>),
            duplicate_turns::held_until.eq(None::<NaiveDateTime>),
        ))
        .execute(conn)
        .map(drop)
}

/// Moves the position from `before` to `after` in the turn of `server`; tells whether it was still theirs.
///
/// # Errors
/// When the database fails.
pub fn move_on(
    conn: &mut DbConn,
    server: Id<Any>,
    (before, after): (Position, Position),
) -> QueryResult<bool> {
    let turn = duplicate_turns::table
        .filter(duplicate_turns::name.eq(NAME))
        .filter(duplicate_turns::held_by.eq(Some(server)))
        .filter(duplicate_turns::seq.eq(before.0))
        .filter(duplicate_turns::incident_id.eq(before.1));
    let n_moved = diesel::update(turn)
        .set((duplicate_turns::seq.eq(after.0), duplicate_turns::incident_id.eq(after.1)))
        .execute(conn)?;
    Ok(n_moved == 1)
}

/// Returns pairs as they are stored.
///
/// # Errors
/// When the figures cannot be veiled.
pub fn veil_pairs(veil: &PlaceVeil, found: BTreeMap<Pair, Comparison>) -> Result<Vec<VeiledPair>> {
    found
        .into_iter()
        .map(|(pair, Comparison { score, figures })| {
            let figures = serde_json::to_vec(&figures).map_err(Error::internal)?;
            Ok((pair, score, veil.veil_pair(pair, &figures)?))
        })
        .collect()
}

/// Puts `found` in place of all pairs of the incidents `looked`, and writes down which of those stand in a flood.
///
/// # Errors
/// When the database fails.
pub fn replace(
    conn: &mut DbConn,
    looked: &BTreeSet<i64>,
    found: &[VeiledPair],
    floods: &BTreeSet<i64>,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let looked: Vec<i64> = looked.iter().copied().collect();
    for chunk in looked.chunks(CHUNK) {
        let ids = || chunk.to_vec();
        diesel::delete(duplicate_pairs::table.filter(duplicate_pairs::low_id.eq_any(ids())))
            .execute(conn)?;
        diesel::delete(duplicate_pairs::table.filter(duplicate_pairs::high_id.eq_any(ids())))
            .execute(conn)?;
        diesel::delete(duplicate_floods::table.filter(duplicate_floods::incident_id.eq_any(ids())))
            .execute(conn)?;
    }
    for ((low, high), score, figures) in found {
        diesel::insert_into(duplicate_pairs::table)
            .values((
                duplicate_pairs::low_id.eq(low),
                duplicate_pairs::high_id.eq(high),
                duplicate_pairs::score.eq(score),
                duplicate_pairs::figures_veiled.eq(figures),
                duplicate_pairs::rules.eq(RULES),
                duplicate_pairs::computed_at.eq(now.naive_utc()),
            ))
            .execute(conn)?;
    }
    for incident in floods {
        diesel::insert_into(duplicate_floods::table)
            .values(duplicate_floods::incident_id.eq(incident))
            .execute(conn)?;
    }
    Ok(())
}

/// Tells whether there were more in the blocks of one of these incidents than were looked at.
///
/// # Errors
/// When the database fails.
pub fn is_flood(conn: &mut DbConn, ids: &[i64]) -> QueryResult<bool> {
    let found = duplicate_floods::table.filter(duplicate_floods::incident_id.eq_any(ids.to_vec()));
    Ok(found.count().get_result::<i64>(conn)? > 0)
}
