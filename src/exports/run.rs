//! A file in the making: each step reads a few pages and returns what is ready to be sent.

use std::io;
use std::rc::Rc;
use std::vec::IntoIter;

use actix_web::web::{Bytes, Data};
use base16ct::lower;
use sha2::{Digest, Sha256};

use crate::aggregates::answer::AggregateCell;
use crate::aggregates::query::By;
use crate::audit::act::Act;
use crate::audit::{self, Entry};
use crate::auth::types::Scope;
use crate::context::Context;
use crate::db::rows::Any;
use crate::db::writer::WriteTx;
use crate::error::{Error, Result};
use crate::exports::columns::{
    ACTORS, ActorRecord, Column, HARM, HarmRecord, INCIDENTS, REPORTS, aggregate_headings,
    label_name, range,
};
use crate::exports::csv::CsvWriter;
use crate::exports::hxl::{self, CountryRecord};
use crate::exports::json::{GeoJsonWriter, LinesWriter};
use crate::exports::labels::Labels;
use crate::exports::parquet::ParquetWriter;
use crate::exports::rows::{Reading, load_incidents, load_reports};
use crate::exports::selection::{Content, Question, Selected};
use crate::exports::told::{told, told_within};
use crate::exports::value::{End, Heading, Value, Writer};
use crate::exports::wanted::{Format, Table, Wanted};
use crate::exports::xlsx::XlsxWriter;
use crate::ids::{Id, UserId};
use crate::incidents::facts::Measure;

/// Incidents read at once.
const PAGE: usize = 1_000;
/// Bytes that are worth being sent.
const PIECE_BYTES: usize = 64 * 1024;

/// A file in the making. Dropped before its end, it leaves an entry that says so.
pub struct Run {
    context: Data<Context>,
    wanted: Wanted,
    labels: Labels,
    scope: Scope,
    exact: Scope,
    as_of: i64,
    /// Rows announced.
    n_announced: u64,
    source: Source,
    writer: Box<dyn Writer>,
    /// Rows written, whether they were handed out or not.
    n_written: u64,
    /// Made, and kept back until more is made behind it.
    held: Piece,
    sent: Sent,
    actor: Option<UserId>,
    id: Id<Any>,
    /// What the entry says of the question.
    told: String,
    countries: Vec<String>,
    is_recorded: bool,
}

/// What is still to come.
enum Source {
    Incidents(IntoIter<i64>),
    Cells(IntoIter<AggregateCell>),
    Countries(IntoIter<CountryRecord>),
}

/// A part of the file.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// Rows written up to its end.
    rows: u64,
}

/// What was handed out.
#[derive(Default, Clone)]
struct Sent {
    rows: u64,
    bytes: u64,
    hash: Sha256,
}

impl Sent {
    /// Returns what was handed out once `piece` is, too.
    fn with(&self, piece: &Piece) -> Self {
        let mut sent = self.clone();
        sent.rows = piece.rows;
        sent.bytes += u64::try_from(piece.bytes.len()).unwrap_or(u64::MAX);
        sent.hash.update(&piece.bytes);
        sent
    }

    fn made(&self) -> Made {
        let Self { rows, bytes, hash } = self;
        Made { rows: *rows, bytes: *bytes, hash: hash.clone().finalize().into() }
    }
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them.
    pub hash: [u8; 32],
}

impl Made {
    /// Returns what the audit log says of it: that it is `whole` or `cut`.
    fn told(&self, how: &str) -> String {
        let Self { rows, bytes, hash } = self;
        format!("{how} rows_{rows} bytes_{bytes} sha256_{}", lower::encode_string(hash))
    }
}

impl Run {
    /// Begins the file.
    ///
    /// # Errors
    /// When the format cannot begin.
    pub fn new(context: &Data<Context>, question: &Question, selected: Selected) -> Result<Self> {
        let Question { wanted, asked, scope, exact, asked_by } = question;
        let writer = writer(wanted).map_err(Error::internal)?;
        let source = match selected.content {
            Content::Incidents(ids) => Source::Incidents(ids.into_iter()),
            Content::Cells(cells) => Source::Cells(cells.into_iter()),
            Content::Countries(countries) => Source::Countries(countries.into_iter()),
        };
        Ok(Self {
            context: context.clone(),
            labels: Labels::new(context, wanted.language),
            told: told(wanted, &asked.filter),
            countries: asked.filter.countries.clone(),
            wanted: wanted.clone(),
            scope: scope.clone(),
            exact: exact.clone(),
            as_of: selected.as_of,
            n_announced: selected.n_rows,
            source,
            writer,
            n_written: 0,
            held: Piece::default(),
            sent: Sent::default(),
            actor: *asked_by,
            id: Id::random(),
            is_recorded: false,
        })
    }

    /// Tells whether the file is complete.
    pub fn is_finished(&self) -> bool {
        self.is_recorded
    }

    /// Returns what was handed out of it so far.
    pub fn made(&self) -> Made {
        self.sent.made()
    }

    /// Makes the next piece; `None` behind the last one. A file of several pieces is written down as begun before the first is
    /// returned, and every file as whole before the last one is, which holds the last rows: a piece is kept back until there
    /// is more behind it.
    ///
    /// # Errors
    /// `Unavailable` where the file would not be what it announced: it ends here, and is to be asked for again. When the
    /// database fails, or the audit log.
    pub fn step(&mut self) -> Result<Option<Bytes>> {
        if self.is_recorded {
            return Ok(None);
        }
        let mut piece = std::mem::take(&mut self.held);
        loop {
            let (next, is_last) = self.make_piece()?;
            if is_last {
                piece.bytes.extend_from_slice(&next.bytes);
                piece.rows = next.rows;
                return self.hand_out_last(piece).map(Some);
            }
            if !piece.bytes.is_empty() {
                self.held = next;
                return self.hand_out(piece).map(Some);
            }
            piece = next;
        }
    }

    /// Makes what is worth being sent, and tells whether the file ends with it.
    fn make_piece(&mut self) -> Result<(Piece, bool)> {
        let mut bytes = Vec::new();
        let mut is_last = false;
        while bytes.len() < PIECE_BYTES && !is_last {
            is_last = !self.write_page()?;
            if is_last {
                self.finish()?;
            }
            let ready = self.writer.take().map_err(Error::internal)?;
            if bytes.is_empty() { bytes = ready } else { bytes.extend_from_slice(&ready) }
        }
        Ok((Piece { bytes, rows: self.n_written }, is_last))
    }

    fn hand_out(&mut self, piece: Piece) -> Result<Bytes> {
        if self.sent.bytes == 0 {
            let begun = format!("begun rows_{}", self.n_announced);
            self.record(self.entry(&begun))?;
        }
        self.sent = self.sent.with(&piece);
        Ok(piece.bytes.into())
    }

    fn hand_out_last(&mut self, piece: Piece) -> Result<Bytes> {
        let sent = self.sent.with(&piece);
        self.record(self.entry(&sent.made().told("whole")))?;
        self.sent = sent;
        self.is_recorded = true;
        Ok(piece.bytes.into())
    }

    /// Ends a file that was not taken to its end, and answers once that is written down; for whoever exits then.
    ///
    /// # Errors
    /// When the audit log fails.
    pub fn cut(mut self) -> Result<()> {
        if !self.is_recorded && self.sent.bytes > 0 {
            self.record(self.entry(&self.made().told("cut")))?;
            self.is_recorded = true;
        }
        Ok(())
    }

    /// Leaves an entry in the audit log, and answers once it is durable.
    fn record(&self, entry: Entry) -> Result<()> {
        let record = move |tx: &mut WriteTx<'_>| {
            tx.record(entry);
            Ok(())
        };
        self.context.db.write_here(record).map_err(audit::not_recorded)
    }

    fn finish(&mut self) -> Result<()> {
        if self.n_written != self.n_announced {
            return Err(Error::new(crate::error::Code::Unavailable));
        }
        let end = End { rows: self.n_written, as_of: self.as_of };
        self.writer.finish(end).map_err(Error::internal)
    }

    /// Writes a page; answers whether there was one.
    fn write_page(&mut self) -> Result<bool> {
        let (writer, labels) = (self.writer.as_mut(), &self.labels);
        match &mut self.source {
            Source::Incidents(ids) => {
                let page: Vec<i64> = ids.take(PAGE).collect();
                if page.is_empty() {
                    return Ok(false);
                }
                self.write_incidents(&page).map(|()| true)
            }
            Source::Cells(cells) => {
                let mut is_there = false;
                for cell in cells.take(PAGE) {
                    let values = cell_values(&cell, labels);
                    writer.row(&values).map_err(Error::internal)?;
                    (is_there, self.n_written) = (true, self.n_written + 1);
                }
                Ok(is_there)
            }
            Source::Countries(countries) => {
                let mut is_there = false;
                for country in countries.take(PAGE) {
                    write(writer, hxl::COUNTRIES, labels, &country)?;
                    (is_there, self.n_written) = (true, self.n_written + 1);
                }
                Ok(is_there)
            }
        }
    }

    fn write_incidents(&mut self, ids: &[i64]) -> Result<()> {
        let reading = Reading {
            geo: self.labels.geo(),
            veil: self.context.keys.place_veil(),
            scope: &self.scope,
            exact: &self.exact,
            as_of: self.as_of,
            with_sources: self.wanted.is_hxl,
        };
        let (writer, labels) = (self.writer.as_mut(), &self.labels);
        let mut n_rows = 0;
        if self.wanted.table == Table::Reports {
            let records = self.context.db.read_here(|conn| load_reports(conn, &reading, ids))?;
            for record in &records {
                write(writer, REPORTS, labels, record)?;
                n_rows += 1;
            }
            self.n_written += n_rows;
            return Ok(());
        }
        let records = self.context.db.read_here(|conn| load_incidents(conn, &reading, ids))?;
        for record in records {
            match self.wanted.table {
                Table::Harm => {
                    let incident = Rc::new(record);
                    for measure in Measure::ALL {
                        let Some(range) = range(&incident, measure.as_str(), "") else { continue };
                        let incident = Rc::clone(&incident);
                        write(writer, HARM, labels, &HarmRecord { incident, measure, range })?;
                        n_rows += 1;
                    }
                }
                Table::Actors => {
                    let incident = Rc::new(record);
                    for actor in incident.actors.clone() {
                        let incident = Rc::clone(&incident);
                        write(writer, ACTORS, labels, &ActorRecord { incident, actor })?;
                        n_rows += 1;
                    }
                }
                Table::Incidents | Table::Reports | Table::Aggregates => {
                    let columns = if self.wanted.is_hxl { hxl::INCIDENTS } else { INCIDENTS };
                    write(writer, columns, labels, &record)?;
                    n_rows += 1;
                }
            }
        }
        self.n_written += n_rows;
        Ok(())
    }

    /// Returns the entry of what left, or is about to.
    fn entry(&self, what: &str) -> Entry {
        let detail = format!("{what} {}", self.told);
        let entry = Entry::new(Act::Exported, self.id, self.context.clock.now());
        let entry = entry.by(self.actor).detail(detail.trim_end());
        told_within(entry, &self.countries, &self.scope)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.is_recorded && self.sent.bytes > 0 {
            self.context.db.record_later(self.entry(&self.made().told("cut")));
        }
    }
}

/// Returns the columns of the file.
pub fn headings(wanted: &Wanted) -> Vec<Heading> {
    fn of<R>(columns: &[Column<R>]) -> Vec<Heading> {
        columns.iter().map(Column::heading).collect()
    }
    match (wanted.table, wanted.is_hxl) {
        (Table::Incidents, false) => of(INCIDENTS),
        (Table::Incidents, true) => of(hxl::INCIDENTS),
        (Table::Reports, _) => of(REPORTS),
        (Table::Harm, _) => of(HARM),
        (Table::Actors, _) => of(ACTORS),
        (Table::Aggregates, false) => aggregate_headings(&wanted.by),
        (Table::Aggregates, true) => of(hxl::COUNTRIES),
    }
}

fn writer(wanted: &Wanted) -> io::Result<Box<dyn Writer>> {
    let headings = headings(wanted);
    Ok(match wanted.format {
        Format::Csv => Box::new(CsvWriter::new(&headings, wanted.dialect(), wanted.is_hxl)),
        Format::Xlsx => Box::new(XlsxWriter::new(&headings, wanted.table.as_str(), wanted.is_hxl)?),
        Format::Geojson => Box::new(GeoJsonWriter::new(&headings)),
        Format::Ndjson => Box::new(LinesWriter::new(&headings)),
        Format::Parquet => Box::new(ParquetWriter::new(&headings)?),
    })
}

fn write<R>(
    writer: &mut dyn Writer,
    columns: &[Column<R>],
    labels: &Labels,
    row: &R,
) -> Result<()> {
    let values: Vec<Value<'_>> = columns.iter().map(|column| (column.value)(row, labels)).collect();
    writer.row(&values).map_err(Error::internal)
}

/// Returns keys with their labels, then figures.
fn cell_values<'r>(cell: &'r AggregateCell, labels: &'r Labels) -> Vec<Value<'r>> {
    let mut values = Vec::new();
    for (by, key) in &cell.keys.0 {
        let key = key.as_deref();
        values.push(match by {
            By::Severity => Value::integer(key.and_then(|key| key.parse::<i64>().ok())),
            _ => Value::text(key),
        });
        if label_name(*by).is_some() {
            values.push(Value::text(key.map(|key| labels.key(*by, key))));
        }
    }
    let count = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    values.extend([count(cell.figures.incidents), count(cell.figures.reports)]);
    for figure in cell.figures.harm.list() {
        let parts = figure.map(|figure| [figure.min, figure.max, figure.stated].map(count));
        values.extend(parts.unwrap_or([Value::Empty, Value::Empty, Value::Empty]));
    }
    values
}
