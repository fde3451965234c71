//! Which incidents are likely one, as a caller may know it: both in their scope, neither withdrawn nor rejected, and nobody
//! has said that they are not. The pairs themselves are found by a worker, see `review::duplicates`.
//!
//! A pair of an incident that was merged is one of its survivor, on either side.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl, QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};

use crate::auth::types::Scope;
use crate::db::dialect::DbConn;
use crate::db::schema::{
    duplicate_dismissals, duplicate_pairs, incident_facts, incidents, reports,
};
use crate::error::{Error, Result};
use crate::geo::locate::Geo;
use crate::ids::IncidentId;
use crate::incidents::facts::Status;
use crate::incidents::view::{SeenIncident, is_seen_from};
use crate::seal::veil::PlaceVeil;

/// Pairs read for one question, the likeliest first: a flood does not fill the memory.
const MOST_PAIRS: i64 = 10_000;
/// Values of one statement.
const CHUNK: usize = 1_000;

/// Why two incidents are likely one: figures and codes, no words of anybody. Kept veiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Metres between them, rounded up to 1, 2 or 5 times a power of ten, at least 100; absent where either has no point.
    pub distance_m: Option<u32>,
    /// Whole days between them; absent where either is undated.
    pub days_apart: Option<u16>,
    /// Categories of both; where they share no leaf, what is above.
    pub categories: Vec<String>,
    /// How alike their narratives are, in hundredths; absent where there is nothing to compare.
    pub text: Option<i16>,
    /// The narratives are in two languages.
    pub is_translated: bool,
    /// The same known mine is nearest to both.
    pub is_same_site: bool,
    /// Whether the numbers of people harmed fit.
    pub harm: HarmSays,
    /// Whether one sender told both.
    pub sender: SenderSays,
}

/// Whether two statements of people harmed fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HarmSays {
    /// They are about the same.
    Agrees,
    /// They are not.
    Differs,
    /// There are none of one kind in both.
    Unknown,
}

/// Whether one sender told both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderSays {
    /// The same sender told it twice.
    Same,
    /// Two senders.
    Other,
    /// One of them is not known.
    Unknown,
}

/// Returns a distance rounded up, so that no point is found from the distances to others.
pub fn round_distance(metres: f64) -> u32 {
    const STEPS: [u32; 9] = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
    STEPS.into_iter().find(|step| metres <= f64::from(*step)).unwrap_or(100_000)
}

/// Another incident that is likely the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Likely {
    /// Row id of the pair the figures are of.
    pub pair: (i64, i64),
    /// The other incident, not merged itself.
    pub incident: IncidentId,
    /// Its row id.
    pub row_id: i64,
    /// Its version.
    pub version: i32,
    /// Its status.
    pub status: String,
    /// Its country, the declared one.
    pub country: String,
    /// 0..=100.
    pub score: i16,
    /// A reviewer said that the two are not one.
    pub is_dismissed: bool,
}

/// Whose likely duplicates are asked for.
struct Groups {
    /// For each row id, those it is shown for: itself, and what was merged into it.
    of_member: HashMap<i64, i64>,
}

impl Groups {
    fn load(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Self> {
        let mut of_member: HashMap<i64, i64> = ids.iter().map(|id| (*id, *id)).collect();
        for chunk in ids.chunks(CHUNK) {
            let survivors: Vec<Option<i64>> = chunk.iter().copied().map(Some).collect();
            let absorbed: Vec<(i64, Option<i64>)> = incidents::table
                .filter(incidents::merged_into.eq_any(survivors))
                .select((incidents::id, incidents::merged_into))
                .load(conn)?;
            of_member.extend(absorbed.into_iter().filter_map(|(id, into)| Some((id, into?))));
        }
        Ok(Self { of_member })
    }

    fn members(&self) -> Vec<i64> {
        let mut members: Vec<i64> = self.of_member.keys().copied().collect();
        members.sort_unstable();
        members
    }
}

/// What is known of the other side of a pair.
#[derive(Debug, Clone, diesel::Queryable)]
struct Side {
    row_id: i64,
    id: IncidentId,
    version: i32,
    status: String,
    merged_into: Option<i64>,
    country: String,
    country_computed: Option<String>,
}

impl Side {
    fn is_seen(&self, geo: &Geo, scope: &Scope) -> bool {
        is_seen_from(scope, geo, &self.country, self.country_computed.as_deref())
    }

    fn is_shown(&self) -> bool {
        ![Status::Withdrawn, Status::Rejected].iter().any(|gone| gone.as_str() == self.status)
    }
}

/// Returns the likely duplicates of each of these incidents, dismissed ones too, that are seen from `scope`.
///
/// # Shape
/// By row id of what was asked; the likeliest first, each other incident once. What has none is absent.
///
/// # Errors
/// When the database fails.
pub fn list_likely(
    conn: &mut DbConn,
    (geo, scope): (&Geo, &Scope),
    ids: &[i64],
) -> QueryResult<HashMap<i64, Vec<Likely>>> {
    let groups = Groups::load(conn, ids)?;
    let pairs = load_pairs(conn, &groups.members())?;
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let both: BTreeSet<i64> = pairs.iter().flat_map(|pair| [pair.0, pair.1]).collect();
    let told = list_told(conn, &both)?;
    let sides = load_sides(conn, &both)?;
    let dismissed = load_dismissed(conn, &groups.members(), &sides)?;
    let mut found: HashMap<i64, Vec<Likely>> = HashMap::new();
    for (low, high, score) in pairs {
        if !told.contains(&low) || !told.contains(&high) {
            continue;
        }
        for (member, other) in [(low, high), (high, low)] {
            let Some(asked) = groups.of_member.get(&member) else { continue };
            let Some(side) = sides.get(&other) else { continue };
            let survivor = side.merged_into.map_or(Some(side), |into| sides.get(&into));
            let Some(survivor) = survivor else { continue };
            let is_seen = side.is_seen(geo, scope) && survivor.is_seen(geo, scope);
            if !is_seen || !survivor.is_shown() || survivor.row_id == *asked {
                continue;
            }
            let is_dismissed = dismissed.contains(&(*asked, survivor.row_id));
            let listed = found.entry(*asked).or_default();
            // The pairs come the likeliest first.
            if listed.iter().any(|known| known.row_id == survivor.row_id) {
                continue;
            }
            listed.push(Likely {
                pair: (low, high),
                incident: survivor.id,
                row_id: survivor.row_id,
                version: survivor.version,
                status: survivor.status.clone(),
                country: survivor.country.clone(),
                score,
                is_dismissed,
            });
        }
    }
    Ok(found)
}

/// Returns the pairs of these incidents, the likeliest first.
fn load_pairs(conn: &mut DbConn, members: &[i64]) -> QueryResult<Vec<(i64, i64, i16)>> {
    let mut pairs: Vec<(i64, i64, i16)> = Vec::new();
    for chunk in members.chunks(CHUNK) {
        let columns = (duplicate_pairs::low_id, duplicate_pairs::high_id, duplicate_pairs::score);
        let by_score = || duplicate_pairs::table.order(duplicate_pairs::score.desc());
        let low = by_score().filter(duplicate_pairs::low_id.eq_any(chunk.to_vec()));
        pairs.extend(low.select(columns).limit(MOST_PAIRS).load::<(i64, i64, i16)>(conn)?);
        let high = by_score().filter(duplicate_pairs::high_id.eq_any(chunk.to_vec()));
        pairs.extend(high.select(columns).limit(MOST_PAIRS).load::<(i64, i64, i16)>(conn)?);
    }
    pairs.sort_unstable_by_key(|(low, high, score)| (-score, *low, *high));
    pairs.dedup();
    Ok(pairs)
}

/// Returns those of these incidents whose own report still stands: it was neither withdrawn nor erased.
fn list_told(conn: &mut DbConn, ids: &BTreeSet<i64>) -> QueryResult<HashSet<i64>> {
    let mut told = HashSet::new();
    let ids: Vec<i64> = ids.iter().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        let active: Vec<i64> = reports::table
            .filter(reports::home_incident_id.eq_any(chunk.to_vec()))
            .filter(reports::state.eq("active"))
            .select(reports::home_incident_id)
            .load(conn)?;
        told.extend(active);
    }
    Ok(told)
}

/// Returns these incidents, and those they were merged into.
fn load_sides(conn: &mut DbConn, ids: &BTreeSet<i64>) -> QueryResult<BTreeMap<i64, Side>> {
    let mut sides = load_some(conn, ids)?;
    let survivors: BTreeSet<i64> = sides.values().filter_map(|side| side.merged_into).collect();
    let missing = survivors.into_iter().filter(|id| !sides.contains_key(id)).collect();
    sides.extend(load_some(conn, &missing)?);
    Ok(sides)
}

fn load_some(conn: &mut DbConn, ids: &BTreeSet<i64>) -> QueryResult<BTreeMap<i64, Side>> {
    let mut sides = BTreeMap::new();
    let ids: Vec<i64> = ids.iter().copied().collect();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<Side> = incidents::table
            .inner_join(incident_facts::table.on(incident_facts::incident_id.eq(incidents::id)))
            .filter(incidents::id.eq_any(chunk.to_vec()))
            .select((
                incidents::id,
                incidents::uuid,
                incidents::version,
                incidents::status,
                incidents::merged_into,
                incident_facts::country,
                incident_facts::country_computed,
            ))
            .load(conn)?;
        sides.extend(rows.into_iter().map(|side| (side.row_id, side)));
    }
    Ok(sides)
}

/// Returns the pairs of survivors, both ways round, of which somebody said that they are not one, about them or about what
/// was merged into them.
fn load_dismissed(
    conn: &mut DbConn,
    members: &[i64],
    sides: &BTreeMap<i64, Side>,
) -> QueryResult<HashSet<(i64, i64)>> {
    let mut rows: Vec<(i64, i64)> = Vec::new();
    for chunk in members.chunks(CHUNK) {
        let columns = (duplicate_dismissals::low_id, duplicate_dismissals::high_id);
        let in_force =
            || duplicate_dismissals::table.filter(duplicate_dismissals::undone_at.is_null());
        let low = in_force().filter(duplicate_dismissals::low_id.eq_any(chunk.to_vec()));
        rows.extend(low.select(columns).load::<(i64, i64)>(conn)?);
        let high = in_force().filter(duplicate_dismissals::high_id.eq_any(chunk.to_vec()));
        rows.extend(high.select(columns).load::<(i64, i64)>(conn)?);
    }
    // What was dismissed may have been merged into something else since.
    let unknown: BTreeSet<i64> =
        rows.iter().flat_map(|row| [row.0, row.1]).filter(|id| !sides.contains_key(id)).collect();
    let others = load_some(conn, &unknown)?;
    let survivor = |id: i64| {
        let side = sides.get(&id).or_else(|| others.get(&id));
        side.and_then(|side| side.merged_into).unwrap_or(id)
    };
    let pairs = rows.into_iter().map(|(low, high)| (survivor(low), survivor(high)));
    Ok(pairs.flat_map(|(one, other)| [(one, other), (other, one)]).collect())
}

/// Returns the figures of a pair.
///
/// # Errors
/// `NotFound` where the pair is gone by now; when the database fails or they do not open.
pub fn find_figures(conn: &mut DbConn, veil: &PlaceVeil, pair: (i64, i64)) -> Result<Figures> {
    let veiled: Vec<u8> =
        duplicate_pairs::table.find(pair).select(duplicate_pairs::figures_veiled).first(conn)?;
    let bytes = veil.unveil_pair(pair, &veiled)?;
    serde_json::from_slice(&bytes).map_err(Error::internal)
}

/// Puts into the views how many others are likely the same, where `deciding` may decide; elsewhere it is not told.
///
/// # Errors
/// When the database fails.
pub fn show_likely(
    conn: &mut DbConn,
    geo: &Geo,
    seen: &mut [SeenIncident],
    deciding: &Scope,
) -> QueryResult<()> {
    let is_shown = |seen: &SeenIncident| {
        is_seen_from(deciding, geo, &seen.view.country, seen.view.country_computed.as_deref())
    };
    let shown: Vec<i64> =
        seen.iter().filter(|seen| is_shown(seen)).map(|seen| seen.row_id).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let likely = list_likely(conn, (geo, deciding), &shown)?;
    for seen in seen.iter_mut().filter(|seen| shown.contains(&seen.row_id)) {
        let others = likely.get(&seen.row_id).map_or(&[][..], Vec::as_slice);
        seen.view.likely_duplicates =
            Some(others.iter().filter(|other| !other.is_dismissed).count());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::round_distance;

    #[test]
    fn a_distance_is_rounded_up_the_more_the_longer_it_is() {
        for (metres, right) in [
            (0.0, 100),
            (100.0, 100),
            (189.0, 200),
            (201.0, 500),
            (4_999.0, 5_000),
            (24_000.0, 50_000),
            (70_000.0, 100_000),
        ] {
            assert_eq!(round_distance(metres), right, "{metres} m");
        }
    }
}
