//! Reads what clients send: bounded in size, in depth, in time, and unpacked under a running cap.
//!
//! Facts behind it (actix-web 4.18): the framework has no body deadline, and its own decompression inflates a whole
//! chunk before any limit is looked at. So it is built without decompression and this file is the only reader.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, web};
use flate2::write::MultiGzDecoder;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::error::{Code, Error, FieldError, Result};

/// Limits of request bodies.
#[derive(Debug, Clone)]
pub struct BodyLimits {
    /// Most bytes of one JSON document, unpacked. A report with 20,000 characters of text stays below a tenth of it.
    pub json_bytes: usize,
    /// Longest wait for the next bytes.
    pub stall: Duration,
    /// Slowest mean rate after [`BodyLimits::stall`] has passed, in bytes a second; 2G gives several times that.
    pub min_bytes_per_second: u64,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { json_bytes: 1024 * 1024, stall: Duration::from_secs(20), min_bytes_per_second: 100 }
    }
}

/// Compressed bytes given to the decoder at once. Deflate grows at most about 1,032 times, so one step stays near 1 MB.
const INFLATE_STEP_BYTES: usize = 1024;

/// A body as it arrives, unpacked piece by piece.
pub struct BodyStream {
    payload: Payload,
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    /// Compressed bytes not given to the decoder yet.
    packed: Bytes,
    limits: BodyLimits,
    started_at: Instant,
    n_received: u64,
    is_done: bool,
}

impl BodyStream {
    /// Returns the body of `request`.
    ///
    /// # Errors
    /// `UnsupportedEncoding` for any content coding but gzip and identity, or more than one.
    pub fn new(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let limits = request
            .app_data::<web::Data<BodyLimits>>()
            .map(|data| (***data).clone())
            .unwrap_or_default();
        let gzip = is_gzip(request.headers())?.then(|| MultiGzDecoder::new(Vec::new()));
        let started_at = Instant::now();
        let packed = Bytes::new();
        Ok(Self {
            payload: payload.take(),
            gzip,
            packed,
            limits,
            started_at,
            n_received: 0,
            is_done: false,
        })
    }

    /// Returns the next piece, never empty; `None` at the end.
    ///
    /// # Errors
    /// `RequestTimeout` when it stalls, `BadRequest` when the connection breaks or the gzip data is damaged.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if !self.packed.is_empty() {
                let piece = self.inflate_step()?;
                // A step can grow a thousandfold: others get their turn in between.
                tokio::task::yield_now().await;
                if !piece.is_empty() {
                    return Ok(Some(piece));
                }
                continue;
            }
            if self.is_done {
                return Ok(None);
            }
            let Some(chunk) = self.receive().await? else {
                self.is_done = true;
                let rest = self.finish_gzip()?;
                return Ok(Some(rest).filter(|rest| !rest.is_empty()));
            };
            if self.gzip.is_none() {
                if chunk.is_empty() {
                    continue;
                }
                return Ok(Some(chunk));
            }
            self.packed = chunk;
        }
    }

    async fn receive(&mut self) -> Result<Option<Bytes>> {
        let waited = tokio::time::timeout(self.limits.stall, self.payload.next()).await;
        let chunk = match waited {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(broken_off(&error)),
            Err(_elapsed) => return Err(Error::new(Code::RequestTimeout)),
        };
        self.n_received += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let elapsed = self.started_at.elapsed();
        let is_slow = elapsed > self.limits.stall
            && self.n_received < elapsed.as_secs().saturating_mul(self.limits.min_bytes_per_second);
        if is_slow {
            return Err(Error::new(Code::RequestTimeout));
        }
        Ok(Some(chunk))
    }

    fn inflate_step(&mut self) -> Result<Bytes> {
        let step = self.packed.split_to(self.packed.len().min(INFLATE_STEP_BYTES));
        let Some(gzip) = &mut self.gzip else {
            return Ok(step);
        };
        gzip.write_all(&step).map_err(damaged)?;
        Ok(std::mem::take(gzip.get_mut()).into())
    }

    fn finish_gzip(&mut self) -> Result<Bytes> {
        let Some(gzip) = &mut self.gzip else {
            return Ok(Bytes::new());
        };
        gzip.try_finish().map_err(damaged)?;
        Ok(std::mem::take(gzip.get_mut()).into())
    }
}

fn broken_off(error: &actix_web::error::PayloadError) -> Error {
    let code = match error {
        actix_web::error::PayloadError::Overflow => Code::PayloadTooLarge,
        _ => Code::BadRequest,
    };
    Error { cause: Some(Box::new(std::io::Error::other(error.to_string()))), ..Error::new(code) }
}

fn damaged(error: std::io::Error) -> Error {
    let told = Error::new(Code::BadRequest).detail(
        "the gzip data is damaged or cut off",
        "les données gzip sont endommagées ou tronquées",
    );
    Error { cause: Some(Box::new(error)), ..told }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING);
    let Some(coding) = codings.next() else {
        return Ok(false);
    };
    let is_only_one = codings.next().is_none();
    let name = coding.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "identity" if is_only_one => Ok(false),
        "gzip" | "x-gzip" if is_only_one => Ok(true),
        _ => Err(Error::new(Code::UnsupportedEncoding)),
    }
}

/// Returns the media type of the body without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let value =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a whole JSON document.
///
/// # Errors
/// `UnsupportedMediaType` unless the body says it is JSON; `PayloadTooLarge`; `RequestTimeout`; `BadRequest`.
pub async fn read_json_bytes(request: &HttpRequest, payload: &mut Payload) -> Result<BytesMut> {
    if media_type(request.headers()) != "application/json" {
        return Err(not_json());
    }
    let mut stream = BodyStream::new(request, payload)?;
    let limit = stream.limits.json_bytes;
    let mut document = BytesMut::new();
    while let Some(piece) = stream.next().await? {
        if document.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        document.extend_from_slice(&piece);
    }
    Ok(document)
}

fn not_json() -> Error {
    Error::new(Code::UnsupportedMediaType).detail(
        "send `Content-Type: application/json`",
        "envoyez « Content-Type: application/json »",
    )
}

/// Returns the error of a document over `limit` bytes.
pub fn too_large(limit: usize) -> Error {
    Error::new(Code::PayloadTooLarge).detail(
        format!("one document may have {limit} bytes, unpacked"),
        format!("un document peut compter {limit} octets, décompressé"),
    )
}

/// Reads `document` as a `T`; unknown fields are errors where `T` says so.
///
/// # Errors
/// `InvalidJson`, `UnknownField` (400) and `InvalidFields` (422) with the pointer of the field. Values are not repeated.
pub fn parse_json<T: DeserializeOwned>(document: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(document);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| of_serde(&error))?;
    reader.end().map_err(|error| invalid_json(&error))?;
    Ok(value)
}

fn of_serde(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let inner = error.inner();
    if inner.classify() != serde_json::error::Category::Data {
        return invalid_json(inner);
    }
    let pointer = pointer_of(error.path());
    let message = inner.to_string();
    if let Some(rest) = message.strip_prefix("unknown field `") {
        // serde names the fields it would have taken; they are ours to show.
        let known = rest.split_once("expected ").map_or("", |(_, known)| without_position(known));
        let field = FieldError::new(
            pointer,
            format!("there is no such field; known here: {known}"),
            format!("ce champ n'existe pas ; connus ici : {known}"),
        );
        return Error::field(Code::UnknownField, field);
    }
    if let Some(rest) = message.strip_prefix("missing field `") {
        let name = rest.split('`').next().unwrap_or_default();
        let pointer = format!("{pointer}/{name}");
        return Error::invalid(vec![FieldError::new(
            pointer,
            "this field is needed",
            "ce champ est nécessaire",
        )]);
    }
    let expected =
        message.rsplit_once("expected ").map_or("another type", |(_, what)| without_position(what));
    Error::invalid(vec![FieldError::new(
        pointer,
        format!("this has the wrong type: expected {expected}"),
        format!("le type ne convient pas : attendu {expected}"),
    )])
}

/// Cuts serde's " at line 1 column 2".
fn without_position(text: &str) -> &str {
    text.split(" at line ").next().unwrap_or(text)
}

fn invalid_json(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    Error::new(Code::InvalidJson).detail(
        format!("line {line}, column {column}: not valid JSON, or nested too deep"),
        format!("ligne {line}, colonne {column} : JSON invalide ou trop imbriqué"),
    )
}

/// Returns the JSON pointer of a path of serde's. An unknown field's own name is the client's and may be anything: it
/// is shortened.
fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                let short: String = key.chars().take(64).collect();
                format!("/{}", short.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// A JSON body of type `T`, read within the limits.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let document = read_json_bytes(&request, &mut payload).await?;
            parse_json(&document).map(JsonBody)
        })
    }
}

/// A JSON body of type `T` that may be left out: `T` as it is by default then.
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJsonBody<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            if request.headers().contains_key(header::CONTENT_TYPE) {
                let document = read_json_bytes(&request, &mut payload).await?;
                let is_empty = document.is_empty();
                return if is_empty { Ok(T::default()) } else { parse_json(&document) }.map(Self);
            }
            match BodyStream::new(&request, &mut payload)?.next().await? {
                None => Ok(Self(T::default())),
                Some(_) => Err(not_json()),
            }
        })
    }
}
