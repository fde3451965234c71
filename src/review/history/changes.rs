//! What became of which field: reviewers' words before and after, as codes, days and areas.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::db::dialect::DbConn;
use crate::db::schema::override_history;
use crate::error::{Error, Result};
use crate::incidents::days::{LOCAL_DAYS, OCCURRED};
use crate::incidents::grade::GRADE;
use crate::incidents::types::{PlaceFacts, SettledDays};
use crate::review::comparison::value_of_place;
use crate::review::history::events::{Event, EventKind};
use crate::seal::veil::PlaceVeil;

/// What became of one field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = HistoryChange)]
pub struct ChangeView {
    /// `status`, a field as a decision names it, or `grade/` with the id of a report.
    #[schema(example = "status")]
    field: String,
    /// Before; null where no reviewer had spoken, and the reports did.
    from: Value,
    /// After; null where they speak again.
    to: Value,
}

/// What was said of a field at a version of an incident.
#[derive(diesel::Queryable)]
struct Said {
    incident: i64,
    version: i32,
    field: String,
    value: Option<String>,
}

/// Everything that reviewers ever said of the fields of some incidents.
pub struct Words<'a> {
    said: HashMap<i64, Vec<Said>>,
    veil: &'a PlaceVeil,
    /// Whether the caller may open reports: grades, fine cells and sites are theirs alone.
    is_exact: bool,
}

impl<'a> Words<'a> {
    /// Returns what was said of the incidents of which a decision is among `events`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(
        conn: &mut DbConn,
        events: &[Event],
        (veil, is_exact): (&'a PlaceVeil, bool),
    ) -> Result<Self> {
        let decided = events.iter().filter(|event| !event.fields.is_empty());
        let incidents: BTreeSet<i64> = decided.map(|event| event.incident).collect();
        let rows: Vec<Said> = override_history::table
            .filter(override_history::incident_id.eq_any(incidents.into_iter().collect::<Vec<_>>()))
            .filter(override_history::field.ne(LOCAL_DAYS))
            .order((override_history::version, override_history::field))
            .load(conn)?;
        let mut said: HashMap<i64, Vec<Said>> = HashMap::new();
        for row in rows {
            said.entry(row.incident).or_default().push(row);
        }
        Ok(Self { said, veil, is_exact })
    }

    /// Returns what an event changed.
    ///
    /// # Errors
    /// When what was said is damaged.
    pub fn changes(&self, event: &Event) -> Result<Vec<ChangeView>> {
        let mut changes = Vec::new();
        if let Some((from, to)) = event.statuses.as_ref().filter(|(from, to)| from != to) {
            let field = "status".to_owned();
            changes.push(ChangeView { field, from: json!(from), to: json!(to) });
        }
        let is_word =
            matches!(event.kind, EventKind::Decided | EventKind::Corrected | EventKind::Graded);
        let (true, Some(version)) = (is_word, event.version) else {
            return Ok(changes);
        };
        let said = self.said.get(&event.incident).map(Vec::as_slice).unwrap_or_default();
        for word in said.iter().filter(|word| word.version == version) {
            if is_grade(&word.field) && !self.is_exact {
                continue;
            }
            let earlier = said.iter().rev();
            let earlier =
                earlier.filter(|other| other.version < version && other.field == word.field);
            let before = earlier.map(|other| other.value.as_deref()).next().flatten();
            changes.push(ChangeView {
                field: word.field.clone(),
                from: self.show(&word.field, before)?,
                to: self.show(&word.field, word.value.as_deref())?,
            });
        }
        Ok(changes)
    }

    /// Returns a stored word in the shape that an incident shows it.
    fn show(&self, field: &str, value: Option<&str>) -> Result<Value> {
        let Some(value) = value else { return Ok(Value::Null) };
        if field == OCCURRED {
            let days: SettledDays = serde_json::from_str(value).map_err(Error::internal)?;
            let span = days.span;
            return Ok(json!({
                "first_day": span.first, "last_day": span.last, "precision": span.precision,
            }));
        }
        if field == "location" {
            let mut place: PlaceFacts = serde_json::from_str(value).map_err(Error::internal)?;
            if !self.is_exact {
                (place.cell7_veiled, place.site_veiled) = (None, None);
            }
            return value_of_place(&place, self.veil);
        }
        serde_json::from_str(value).map_err(Error::internal)
    }
}

fn is_grade(field: &str) -> bool {
    field == GRADE || field.starts_with("grade/")
}
