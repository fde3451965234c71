//! What a file will hold, settled at one change number before its first byte.

use actix_web::web::Data;
use base16ct::lower;
use sha2::{Digest, Sha256};

use crate::aggregates::answer::{AggregateCell, Note};
use crate::aggregates::columns::Columns;
use crate::aggregates::query::{By, Query, Selector};
use crate::auth::types::{Grant, GrantScope, Limits, Principal, Role, Scope};
use crate::context::Context;
use crate::db::dialect::DbConn;
use crate::error::{Error, Result};
use crate::exports::hxl::CountryRecord;
use crate::exports::wanted::{Format, Start, Table, Wanted};
use crate::exports::xlsx;
use crate::http::conditional::numbers_tag;
use crate::http::page;
use crate::http::query;
use crate::ids::UserId;
use crate::incidents::facts::Status;
use crate::incidents::filter::IncidentFilter;
use crate::incidents::http::exact_scope;
use crate::incidents::selection::{Asked, refuse};
use crate::incidents::store::find_incident;
use crate::incidents::view::is_seen;

/// Most cells of a file: they are made at once.
const MAX_CELLS: usize = 500_000;

/// Changes with what files look like.
const LAYOUT: u32 = 1;

/// What a file is asked for with, and by whom.
pub struct Question {
    /// The file.
    pub wanted: Wanted,
    /// The rows.
    pub asked: Asked,
    /// Where the caller sees incidents.
    pub scope: Scope,
    /// Where the caller may open reports.
    pub exact: Scope,
    /// Whoever asks; nobody for a command on the server.
    pub asked_by: Option<UserId>,
}

/// What a file will hold.
pub struct Selected {
    /// Where its rows come from.
    pub content: Content,
    /// Its rows.
    pub n_rows: u64,
    /// Change number of the selection.
    pub as_of: i64,
    /// Names it: the same rows, the same bytes.
    pub tag: String,
    /// Cursor of the next part.
    pub next: Option<String>,
}

/// Where rows come from.
pub enum Content {
    /// Row ids of incidents, read page by page.
    Incidents(Vec<i64>),
    /// Counts.
    Cells(Vec<AggregateCell>),
    /// Counts by country for HXL.
    Countries(Vec<CountryRecord>),
}

impl Question {
    /// Reads the filter of a file.
    ///
    /// # Errors
    /// As [`Asked::parse`].
    pub fn new(
        wanted: Wanted,
        pairs: &query::Pairs,
        (principal, scope): (&Principal, &Scope),
        context: &Context,
    ) -> Result<Self> {
        let asked = Asked::parse(pairs, &[], principal, scope, context)?;
        let exact = exact_scope(principal);
        Ok(Self { wanted, asked, scope: scope.clone(), exact, asked_by: principal.user_id() })
    }

    /// Reads the filter of a file that is written on the server: of everything, places coarse.
    ///
    /// # Errors
    /// As [`Asked::parse`].
    pub fn of_server(wanted: Wanted, pairs: &query::Pairs, context: &Context) -> Result<Self> {
        let grant = Grant { role: Role::Coordinator, written: GrantScope::All, scope: Scope::All };
        let limits = Limits::default();
        let nobody = Principal::User { id: UserId::random(), grants: vec![grant], limits };
        let question = Self::new(wanted, pairs, (&nobody, &Scope::All), context)?;
        Ok(Self { asked_by: None, ..question })
    }

    /// Settles what the file will hold; `None` where the caller holds it already, by one of the `held` tags.
    ///
    /// # Errors
    /// As [`Asked::answer`]; `InvalidCursor`; `InvalidParameter` for more than the format takes.
    pub fn select(
        &self,
        conn: &mut DbConn,
        context: &Data<Context>,
        is_held: impl Fn(&str) -> bool,
    ) -> Result<(String, Option<Selected>)> {
        let bound_to = self.bound_to();
        let after = self.position(conn, context, &bound_to)?;
        let versions = context.world_versions();
        self.asked.answer(conn, context, |columns, selector, as_of| {
            let tag = self.tag(as_of, versions);
            if is_held(&tag) {
                return Ok((tag, None));
            }
            let (source, n_rows, last) = match self.wanted.table {
                Table::Aggregates => self.count(columns, selector, as_of)?,
                _ => self.list(columns, &selector, after),
            };
            self.check_rows(n_rows)?;
            let next = last.map(|last| page::cursor(&context.keys, last, &bound_to)).transpose()?;
            let selected = Selected { content: source, n_rows, as_of, tag: tag.clone(), next };
            Ok((tag, Some(selected)))
        })
    }

    fn list(
        &self,
        columns: &Columns,
        selector: &Selector<'_>,
        after: Option<i64>,
    ) -> (Content, u64, Option<i64>) {
        let limit = self.wanted.limit.unwrap_or(usize::MAX);
        let ids = columns.select(selector, after, limit).ids;
        let counts = columns.count_parts(&ids);
        let n_rows = match self.wanted.table {
            Table::Reports => counts.reports,
            Table::Harm => counts.harm,
            Table::Actors => counts.actors,
            Table::Incidents | Table::Aggregates => u64::try_from(ids.len()).unwrap_or(u64::MAX),
        };
        let last = ids.last().copied().filter(|_| ids.len() == limit);
        (Content::Incidents(ids), n_rows, last)
    }

    fn count(
        &self,
        columns: &Columns,
        selector: Selector<'_>,
        as_of: i64,
    ) -> Result<(Content, u64, Option<i64>)> {
        let note = Note { coverage: String::new(), as_of };
        let count_by = |by: Vec<By>, selector: Selector<'_>| {
            Query::new(by, self.wanted.h3_resolution, selector)
                .map(|query| columns.aggregate(&query, &note))
                .map_err(|error| refuse(&[error]))
        };
        let filter = selector.filter();
        let verified = IncidentFilter { statuses: vec![Status::Verified], ..filter.clone() };
        let verified = if self.wanted.is_hxl && filter.statuses.contains(&Status::Verified) {
            count_by(vec![By::Country], selector.with_filter(&verified))?.cells
        } else {
            Vec::new()
        };
        let aggregate = count_by(self.wanted.by.clone(), selector)?;
        let mut cells = aggregate.cells;
        if self.wanted.by.is_empty() {
            let keys = crate::aggregates::answer::CellKeys(Vec::new());
            cells = vec![AggregateCell { keys, figures: aggregate.total }];
        }
        if cells.len() > MAX_CELLS {
            return Err(too_many("by", cells.len(), MAX_CELLS));
        }
        let n_rows = u64::try_from(cells.len()).unwrap_or(u64::MAX);
        if !self.wanted.is_hxl {
            return Ok((Content::Cells(cells), n_rows, None));
        }
        let with_verified = |cell: AggregateCell| {
            let same = verified.iter().find(|other| other.keys == cell.keys);
            let n_verified = same.map_or(0, |other| other.figures.incidents);
            CountryRecord { cell, filter: filter.clone(), n_verified }
        };
        let countries = cells.into_iter().map(with_verified).collect();
        Ok((Content::Countries(countries), n_rows, None))
    }

    fn check_rows(&self, n_rows: u64) -> Result<()> {
        let max = xlsx::MAX_ROWS - u64::from(self.wanted.is_hxl);
        if self.wanted.format != Format::Xlsx || n_rows <= max {
            return Ok(());
        }
        let n_rows = usize::try_from(n_rows).unwrap_or(usize::MAX);
        Err(too_many("limit", n_rows, usize::try_from(max).unwrap_or(usize::MAX)))
    }

    /// Returns the row behind which the file begins.
    fn position(
        &self,
        conn: &mut DbConn,
        context: &Context,
        bound_to: &str,
    ) -> Result<Option<i64>> {
        match &self.wanted.start {
            Start::First => Ok(None),
            Start::Cursor(cursor) => page::open(&context.keys, cursor, bound_to).map(Some),
            Start::Behind(id) => {
                let found = find_incident(conn, *id)?;
                let seen = found.filter(|(_, facts)| is_seen(&self.scope, &context.geo(), facts));
                seen.map(|(incident, _)| Some(incident.id)).ok_or_else(Error::not_found)
            }
        }
    }

    fn bound_to(&self) -> String {
        format!("export {} {}", self.wanted.table.as_str(), self.asked.filter.binding())
    }

    /// Returns the tag of the file: of the state, of the question, and of what the caller may see.
    fn tag(&self, as_of: i64, versions: (i64, i64)) -> String {
        let told = format!(
            "{LAYOUT} {} {as_of} {versions:?} {:?} {:?} {:?} {}",
            env!("CARGO_PKG_VERSION"),
            self.wanted,
            self.scope,
            self.exact,
            self.asked.filter.binding(),
        );
        let digest = Sha256::digest(told.as_bytes());
        numbers_tag(&lower::encode_string(digest.get(..16).unwrap_or(&digest)))
    }
}

fn too_many(parameter: &str, found: usize, most: usize) -> Error {
    query::invalid(
        parameter,
        format!(
            "this gives {found} rows, and the file holds {most}: filter more, take parts by limit, or csv or parquet"
        ),
        format!(
            "cela donne {found} lignes, et le fichier en contient {most} : filtrez plus, prenez des parties par limit, ou csv ou parquet"
        ),
    )
}
