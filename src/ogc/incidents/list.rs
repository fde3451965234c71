//! Incidents as features, page by page or one alone.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use geo::{Geometry, Point};

use crate::auth::types::{Principal, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::db::schema::changes;
use crate::error::{Error, Result};
use crate::http::page;
use crate::http::query::Pairs;
use crate::ids::IncidentId;
use crate::incidents::facts::Status;
use crate::incidents::selection::Asked;
use crate::incidents::store::find_incident;
use crate::incidents::view::{SeenIncident, is_seen, list_seen};
use crate::ogc::collections::Collection;
use crate::ogc::cql2::expression::Expression;
use crate::ogc::crs::Crs;
use crate::ogc::feature::{Feature, Properties};
use crate::ogc::incidents::fields::{Field, Shown};
use crate::ogc::incidents::rows::{Extent, Wanted, measure, select};
use crate::ogc::property::{Kind, Value};
use crate::ogc::query::FeatureQuery;

/// A page of features.
pub(crate) struct Page {
    /// The features.
    pub(crate) features: Vec<Feature>,
    /// How many match on all pages.
    pub(crate) n_matched: u64,
    /// Cursor of the next page.
    pub(crate) next: Option<String>,
}

/// Returns what of the filters of lists is asked.
///
/// A filter that speaks of the status is not narrowed to verified ones, one that speaks of tests sees them.
///
/// # Errors
/// Those of [`Asked::parse`].
pub(crate) fn ask(
    pairs: &Pairs,
    wanted: &Wanted,
    (principal, scope): (&Principal, &Scope),
    context: &Context,
) -> Result<Asked> {
    let mut asked = Asked::parse(pairs, &[], principal, scope, context)?;
    let spoken = wanted.expression.iter().flat_map(Expression::list_properties);
    let spoken: BTreeSet<&str> = spoken.filter_map(name_of).collect();
    let has_status = pairs.0.iter().any(|(name, _)| name == "status");
    if spoken.contains("status") && !has_status {
        asked.filter.statuses = Status::ALL.to_vec();
    }
    asked.filter.include_test |= spoken.contains("is_test");
    Ok(asked)
}

fn name_of(property: usize) -> Option<&'static str> {
    Collection::Incidents.properties().get(property).map(|property| property.name)
}

/// Lists a page, newest first.
///
/// # Errors
/// `InvalidCursor`, what [`Asked::answer`] says, or when the database fails.
pub(crate) fn list(
    conn: &mut DbConn,
    context: &Context,
    asked: &Asked,
    query: &FeatureQuery,
) -> Result<Page> {
    let binding = format!("ogc {:?} {}", query.wanted, asked.filter.binding());
    let after = query.page.position(&context.keys, &binding)?;
    let limit = query.page.limit;
    // One more, to know whether there is a next page.
    let mut selection = asked.answer(conn, context, |columns, selector, _| {
        Ok(select(columns, &selector, &query.wanted, (after, limit + 1)))
    })?;
    let is_more = selection.ids.len() > limit;
    selection.ids.truncate(limit);
    let last = selection.ids.last().filter(|_| is_more);
    let next = last.map(|last| page::cursor(&context.keys, *last, &binding)).transpose()?;
    let features = show(conn, context, &selection.ids, query.crs)?;
    Ok(Page { features, n_matched: selection.total, next })
}

/// Returns where and when the incidents of a scope are.
///
/// # Errors
/// When the database fails.
pub(crate) fn find_extent(
    conn: &mut DbConn,
    context: &Context,
    (principal, scope): (&Principal, &Scope),
) -> Result<Extent> {
    let mut asked = Asked::parse(&Pairs::default(), &[], principal, scope, context)?;
    asked.filter.statuses = Status::ALL.to_vec();
    asked.answer(conn, context, |columns, selector, _| Ok(measure(columns, &selector)))
}

/// Returns an incident of the scope.
///
/// # Errors
/// `NotFound`, or when the database fails.
pub(crate) fn find(
    conn: &mut DbConn,
    context: &Context,
    (id, scope): (IncidentId, &Scope),
    crs: Crs,
) -> Result<Feature> {
    let (incident, facts) = find_incident(conn, id)?.ok_or_else(Error::not_found)?;
    if !is_seen(scope, &context.geo(), &facts) {
        return Err(Error::not_found());
    }
    show(conn, context, &[incident.id], crs)?.pop().ok_or_else(Error::not_found)
}

/// Returns incidents as everybody sees them, whoever asks.
fn show(conn: &mut DbConn, context: &Context, ids: &[i64], crs: Crs) -> Result<Vec<Feature>> {
    let seen = list_seen(conn, context, ids, &Scope::nowhere())?;
    let updated = list_updated(conn, ids)?;
    let reference = context.reference();
    let feature = |seen: &SeenIncident| {
        let view = &seen.view;
        let shown =
            Shown { view, updated: updated.get(&seen.row_id).copied(), reference: &reference };
        let place = view.place.as_ref().map(|place| place.coordinates);
        let place = place.map(|[lon, lat]| Geometry::Point(Point::new(lon, lat)));
        Feature::new(view.id.to_string(), place.as_ref(), properties_of(&shown), crs)
    };
    Ok(seen.iter().map(feature).collect())
}

fn properties_of(shown: &Shown<'_>) -> Properties {
    let properties = Collection::Incidents.properties().iter().enumerate();
    let listed = properties.filter(|(_, property)| property.kind != Kind::Geometry);
    let value = |place| Field::at(place).map_or(Value::Missing, |field| field.of_view(shown));
    Properties(listed.map(|(place, property)| (property.name, value(place).to_json())).collect())
}

/// Returns the number of the last change of each.
fn list_updated(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, i64>> {
    let rows: Vec<(i64, Option<i64>)> = changes::table
        .filter(changes::incident_id.eq_any(ids.to_vec()))
        .group_by(changes::incident_id)
        .select((changes::incident_id, diesel::dsl::max(changes::seq)))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(incident, seq)| Some((incident, seq?))).collect())
}
