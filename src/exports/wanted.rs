//! What is asked for: a table, a format, and how the file is to be.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::aggregates::csv::ByteOrderMark;
use crate::aggregates::query::{By, GENERAL_RESOLUTION, parse_h3_resolution};
use crate::error::{Code, Error, Language, Result};
use crate::exports::csv::Dialect;
use crate::http::query::{self, Pairs};
use crate::ids::{Id, IncidentId};
use crate::incidents::selection::refuse;

/// Most incidents of one part.
const MAX_LIMIT: usize = 1_000_000;

/// What is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportTable)]
pub enum Table {
    /// A row an incident.
    Incidents,
    /// A row an active report of the incidents.
    Reports,
    /// A row a measure that an incident states.
    Harm,
    /// A row a kind of actor in an incident.
    Actors,
    /// A row a cell.
    Aggregates,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 5] =
        [Self::Incidents, Self::Reports, Self::Harm, Self::Actors, Self::Aggregates];

    /// Returns its name in paths and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Reports => "reports",
            Self::Harm => "harm",
            Self::Actors => "actors",
            Self::Aggregates => "aggregates",
        }
    }

    /// Reads its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.as_str() == name)
    }
}

/// What it is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportFormat)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// Excel's workbook.
    Xlsx,
    /// Features at their generalised places.
    Geojson,
    /// An object a line.
    Ndjson,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Xlsx, Self::Geojson, Self::Ndjson, Self::Parquet];

    /// Returns its extension.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Geojson => "geojson",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// Reads its extension.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Returns its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Geojson => "application/geo+json",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// How a file is to be.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `Wanted::take` reads them")]
pub struct ExportParams {
    /// Of aggregates: up to three groupings, as of `GET /v1/aggregates`.
    #[param(example = "country")]
    by: Option<String>,
    /// Of aggregates: the resolution of `by=h3`.
    h3_resolution: Option<u8>,
    /// Language of the labels: `en` or `fr`. In French the cells of CSV stand between semicolons.
    #[param(example = "fr")]
    lang: Option<String>,
    /// Of CSV: 0 leaves out the byte order mark that Excel needs.
    #[param(minimum = 0, maximum = 1)]
    bom: Option<u8>,
    /// Of incidents and aggregates by country, as CSV or XLSX: the columns of the Humanitarian Exchange Language, with its row
    /// of tags below the header.
    hxl: Option<bool>,
    /// Most incidents of a part; all unless told. `Link` leads to the next part.
    #[param(minimum = 1, maximum = 1_000_000)]
    limit: Option<u32>,
    /// Where the part begins: that of `Link`.
    cursor: Option<String>,
    /// Goes on behind this incident, the last one that came whole.
    after: Option<uuid::Uuid>,
}

/// Where a part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the newest incident.
    First,
    /// At a cursor, not yet opened.
    Cursor(String),
    /// Behind an incident.
    Behind(IncidentId),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The table.
    pub table: Table,
    /// The format.
    pub format: Format,
    /// Language of labels.
    pub language: Language,
    /// Whether CSV begins with a byte order mark.
    pub mark: ByteOrderMark,
    /// Whether it is in HXL.
    pub is_hxl: bool,
    /// Groupings of aggregates.
    pub by: Vec<By>,
    /// Resolution of cells.
    pub h3_resolution: u8,
    /// Most incidents.
    pub limit: Option<usize>,
    /// Where it begins.
    pub start: Start,
}

impl Wanted {
    /// Takes what is no filter out of `pairs`.
    ///
    /// # Errors
    /// `NotAcceptable` for a table that the format cannot hold; `InvalidParameter`.
    pub fn take(pairs: &mut Pairs, table: Table, format: Format) -> Result<Self> {
        let has_places = matches!(table, Table::Incidents | Table::Reports);
        if format == Format::Geojson && !has_places {
            return Err(Error::new(Code::NotAcceptable).detail(
                "GeoJSON is there for incidents and reports: take csv, xlsx, ndjson or parquet",
                "GeoJSON existe pour incidents et reports : prenez csv, xlsx, ndjson ou parquet",
            ));
        }
        if pairs.0.iter().any(|(name, _)| name == "q") {
            return Err(query::invalid(
                "q",
                "exports take no q: what is searched for would stay in what was exported",
                "les exports ne prennent pas q : les mots cherchés resteraient dans le fichier",
            ));
        }
        let is_hxl = take_hxl(pairs)?;
        let (mut by, mut h3_resolution) = (Vec::new(), GENERAL_RESOLUTION);
        if table == Table::Aggregates {
            let text = pairs.take_one("by")?;
            let default = if is_hxl { "country" } else { "" };
            by = By::parse_list(text.as_deref().unwrap_or(default))
                .map_err(|error| refuse(&[error]))?;
            if let Some(text) = pairs.take_one("h3_resolution")? {
                h3_resolution = parse_h3_resolution(&text).map_err(|error| refuse(&[error]))?;
            }
        }
        let (limit, start) = if table == Table::Aggregates {
            (None, Start::First)
        } else {
            (take_limit(pairs)?, take_start(pairs)?)
        };
        let language = take_language(pairs)?;
        let mark = take_mark(pairs, format)?;
        let wanted =
            Self { table, format, language, mark, is_hxl, by, h3_resolution, limit, start };
        wanted.check_hxl()?;
        Ok(wanted)
    }

    fn check_hxl(&self) -> Result<()> {
        let is_tabular = matches!(self.format, Format::Csv | Format::Xlsx);
        let has_tags = match self.table {
            Table::Incidents => true,
            Table::Aggregates => self.by == [By::Country],
            Table::Reports | Table::Harm | Table::Actors => false,
        };
        if !self.is_hxl || (is_tabular && has_tags) {
            return Ok(());
        }
        Err(query::invalid(
            "hxl",
            "HXL is there for incidents and for aggregates by=country, as csv or xlsx",
            "HXL existe pour incidents et pour aggregates by=country, en csv ou xlsx",
        ))
    }

    /// Returns how CSV is written.
    pub fn dialect(&self) -> Dialect {
        let delimiter = match self.language {
            Language::English => ',',
            Language::French => ';',
        };
        Dialect { mark: self.mark, delimiter }
    }

    /// Returns the name of the file.
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.table.as_str(), self.format.as_str())
    }
}

fn take_hxl(pairs: &mut Pairs) -> Result<bool> {
    match pairs.take_one("hxl")?.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(query::invalid("hxl", "hxl is true or false", "hxl vaut true ou false")),
    }
}

fn take_language(pairs: &mut Pairs) -> Result<Language> {
    match pairs.take_one("lang")?.as_deref() {
        None | Some("en") => Ok(Language::English),
        Some("fr") => Ok(Language::French),
        Some(_) => Err(query::invalid("lang", "lang is en or fr", "lang vaut en ou fr")),
    }
}

/// Takes `bom`, which other formats than CSV do not know.
fn take_mark(pairs: &mut Pairs, format: Format) -> Result<ByteOrderMark> {
    if format != Format::Csv {
        return Ok(ByteOrderMark::Omitted);
    }
    ByteOrderMark::take(pairs)
}

fn take_limit(pairs: &mut Pairs) -> Result<Option<usize>> {
    let Some(text) = pairs.take_one("limit")? else { return Ok(None) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.map(Some).ok_or_else(|| {
        query::invalid(
            "limit",
            format!("limit is a number in 1..={MAX_LIMIT}"),
            format!("limit est un nombre de 1 à {MAX_LIMIT}"),
        )
    })
}

fn take_start(pairs: &mut Pairs) -> Result<Start> {
    let after = pairs.take_one("after")?;
    match (pairs.take_one("cursor")?, after) {
        (None, None) => Ok(Start::First),
        (Some(cursor), None) => Ok(Start::Cursor(cursor)),
        (None, Some(after)) => Id::parse(&after).map(Start::Behind).ok_or_else(|| {
            query::invalid(
                "after",
                "after is the id of an incident",
                "after est l’id d’un incident",
            )
        }),
        (Some(_), Some(_)) => Err(query::invalid(
            "after",
            "give cursor or after, not both",
            "donnez cursor ou after, pas les deux",
        )),
    }
}
