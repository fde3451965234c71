//! Reports one a line: any number of them in bounded memory, each with an outcome of its own.
//!
//! Lines are read as they arrive and a bounded number is in the writer's queue at once. Outcomes go to an unnamed
//! temporary file and are answered when the last line is in: many clients send everything before they read anything,
//! and would block for ever against a server that answers while it reads. Outcomes hold ids and codes, no text.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use actix_web::dev::Payload;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, FuturesOrdered};
use futures_util::{FutureExt, StreamExt};
use serde::Serialize;

use crate::auth::types::Principal;
use crate::context::Context;
use crate::error::{Code, Error, Language, Result};
use crate::http::body::{self, BodyLimits, BodyStream};
use crate::http::{frame, problem};
use crate::ids::{IncidentId, ReportId};
use crate::intake::body::ReportBody;
use crate::intake::http::{prepare_body, store_prepared};
use crate::intake::prepare::Channel;
use crate::intake::store::Outcome;

/// The media type.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// Lines whose reports wait for their commit at once: one full batch of the writer.
const IN_FLIGHT: usize = 256;
/// Bytes of lines whose reports wait at once; a report takes a few times its line.
const IN_FLIGHT_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the answer read from the file at once.
const ANSWER_PIECE_BYTES: usize = 64 * 1024;

/// What became of one line.
#[derive(Debug, Serialize)]
struct LineView {
    /// From 1.
    line: u64,
    /// `created`, `same`, `conflict`, `gone` or `refused`.
    outcome: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ReportId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<IncidentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<LineError>,
}

#[derive(Debug, Serialize)]
struct LineError {
    pointer: String,
    detail: String,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    lines: u64,
    created: u64,
    same: u64,
    conflict: u64,
    gone: u64,
    refused: u64,
}

/// Stores every line of the body and answers their outcomes, in order, with a summary as the last line.
///
/// # Errors
/// When the body stalls or breaks off: lines before that are stored, and sending them again is safe.
pub async fn submit_lines(
    principal: Principal,
    context: web::Data<Context>,
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<HttpResponse> {
    let language = frame::negotiate(request.headers());
    let max_line = request
        .app_data::<web::Data<BodyLimits>>()
        .map_or_else(|| BodyLimits::default().json_bytes, |limits| limits.json_bytes);
    let mut lines = Lines {
        stream: BodyStream::new(request, payload)?,
        buffer: BytesMut::new(),
        max_line,
        skips: false,
    };
    let mut waiting: FuturesOrdered<LocalBoxFuture<'_, (LineView, usize)>> = FuturesOrdered::new();
    let mut answer = AnswerFile::new()?;
    let mut number = 0;
    let mut n_bytes_waiting = 0;
    while let Some(line) = lines.next().await? {
        number += 1;
        if line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()) {
            continue;
        }
        let n_bytes = line.as_ref().map_or(0, Bytes::len);
        n_bytes_waiting += n_bytes;
        let outcome = submit_line(&principal, &context, language, number, line);
        waiting.push_back(Box::pin(outcome.map(move |view| (view, n_bytes))));
        // A look, even without waiting, hands the new line to the writer: should the client vanish now, it is stored.
        loop {
            let is_full = waiting.len() >= IN_FLIGHT || n_bytes_waiting > IN_FLIGHT_BYTES;
            let next = waiting.next();
            let done = if is_full { next.await } else { next.now_or_never().flatten() };
            let Some((view, n_bytes)) = done else { break };
            n_bytes_waiting -= n_bytes;
            answer.add(&view)?;
        }
    }
    while let Some((view, _)) = waiting.next().await {
        answer.add(&view)?;
    }
    answer.into_response()
}

async fn submit_line(
    principal: &Principal,
    context: &web::Data<Context>,
    language: Language,
    number: u64,
    line: Result<Bytes>,
) -> LineView {
    match store_line(principal, context, line).await {
        Ok((outcome, id)) => {
            view_outcome(number, &outcome, id, matches!(principal, Principal::User { .. }))
        }
        Err(error) => view_refusal(number, &error, language),
    }
}

async fn store_line(
    principal: &Principal,
    context: &web::Data<Context>,
    line: Result<Bytes>,
) -> Result<(Outcome, ReportId)> {
    let body: ReportBody = body::parse_json(&line?)?;
    let prepared = prepare_body(principal, context, body, Channel::Import)?;
    let (outcome, prepared) = store_prepared(context, prepared).await?;
    Ok((outcome, prepared.id))
}

fn view_outcome(line: u64, outcome: &Outcome, id: ReportId, is_person: bool) -> LineView {
    let (name, status, incident) = match outcome {
        Outcome::Created(stored) => ("created", 201, Some(stored.incident)),
        Outcome::Same(stored) => ("same", 200, Some(stored.incident)),
        Outcome::Conflict | Outcome::ForeignConflict => ("conflict", 409, None),
        Outcome::Gone => ("gone", 410, None),
    };
    let code = match status {
        409 => Some(Code::IdConflict.as_str()),
        410 => Some(Code::Gone.as_str()),
        _ => None,
    };
    let incident = incident.filter(|_| is_person);
    LineView {
        line,
        outcome: name,
        status,
        id: Some(id),
        incident,
        code,
        detail: None,
        errors: Vec::new(),
    }
}

fn view_refusal(line: u64, error: &Error, language: Language) -> LineView {
    let errors = error.fields.iter().map(|field| LineError {
        pointer: field.pointer.clone(),
        detail: field.text.in_language(language).to_owned(),
    });
    let title = problem::title(error.code, language);
    LineView {
        line,
        outcome: "refused",
        status: problem::status(error.code).as_u16(),
        id: None,
        incident: None,
        code: Some(error.code.as_str()),
        detail: Some(
            error.detail.as_ref().map_or(title, |text| text.in_language(language)).to_owned(),
        ),
        errors: errors.collect(),
    }
}

/// Cuts a body into lines; one that is too long is passed over without being held.
struct Lines {
    stream: BodyStream,
    buffer: BytesMut,
    max_line: usize,
    /// Inside a line that is too long, already reported.
    skips: bool,
}

impl Lines {
    /// Returns the next line without its end, or that it is too long; `None` at the end of the body.
    async fn next(&mut self) -> Result<Option<Result<Bytes>>> {
        let mut searched = 0;
        loop {
            let end = self
                .buffer
                .get(searched..)
                .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
            if let Some(end) = end {
                let line = self.buffer.split_to(searched + end + 1).freeze();
                if std::mem::take(&mut self.skips) {
                    searched = 0;
                    continue;
                }
                return Ok(Some(self.checked(line)));
            }
            if self.skips {
                self.buffer.clear();
            }
            searched = self.buffer.len();
            if searched > self.max_line {
                self.skips = true;
                self.buffer.clear();
                return Ok(Some(Err(body::too_large(self.max_line))));
            }
            match self.stream.next().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Ok(Some(Ok(self.buffer.split().freeze()))),
            }
        }
    }

    fn checked(&self, line: Bytes) -> Result<Bytes> {
        if line.len() > self.max_line { Err(body::too_large(self.max_line)) } else { Ok(line) }
    }
}

/// Outcomes on their way into a temporary file.
struct AnswerFile {
    file: BufWriter<File>,
    summary: Summary,
}

impl AnswerFile {
    fn new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(Error::internal)?;
        Ok(Self {
            file: BufWriter::with_capacity(ANSWER_PIECE_BYTES, file),
            summary: Summary::default(),
        })
    }

    fn add(&mut self, line: &LineView) -> Result<()> {
        let summary = &mut self.summary;
        summary.lines += 1;
        let counter = match line.outcome {
            "created" => &mut summary.created,
            "same" => &mut summary.same,
            "conflict" => &mut summary.conflict,
            "gone" => &mut summary.gone,
            _ => &mut summary.refused,
        };
        *counter += 1;
        self.write(line)
    }

    fn write(&mut self, line: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.file, line).map_err(Error::internal)?;
        self.file.write_all(b"\n").map_err(Error::internal)
    }

    fn into_response(mut self) -> Result<HttpResponse> {
        #[derive(Serialize)]
        struct LastLine {
            summary: Summary,
        }
        let summary = std::mem::take(&mut self.summary);
        self.write(&LastLine { summary })?;
        let mut file =
            self.file.into_inner().map_err(|error| Error::internal(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
        Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).streaming(pieces(file)))
    }
}

fn pieces(file: File) -> impl stream::Stream<Item = Result<Bytes>> {
    stream::try_unfold(file, |mut file| async move {
        let read = move || {
            let mut piece = vec![0; ANSWER_PIECE_BYTES];
            let n_read = file.read(&mut piece)?;
            piece.truncate(n_read);
            Ok::<_, std::io::Error>((piece, file))
        };
        let (piece, file) =
            web::block(read).await.map_err(Error::internal)?.map_err(Error::internal)?;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}
