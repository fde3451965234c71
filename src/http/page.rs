//! Pages: a bounded number of rows and a cursor for the next ones, opaque and bound to its query.

use actix_web::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use utoipa::IntoParams;

use crate::error::{Code, Error, Result};
use crate::http::query::{self, Pairs};
use crate::seal::subkeys::SubKeySet;

/// Rows of a page unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 100;
/// Most rows of a page.
pub const MAX_LIMIT: usize = 1_000;

/// Length of the encrypted position; see `seal::veil::PlaceVeil::veil_cell`.
const POSITION_BYTES: usize = 24;

/// The parameters of every list that comes in pages.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameters; `PageRequest::take` reads them")]
pub struct PageParams {
    /// Rows of a page, 100 unless told.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// Where the page begins: `next` of the page before.
    cursor: Option<String>,
}

/// What page is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Most rows, 1..=[`MAX_LIMIT`].
    pub limit: usize,
    /// The cursor as sent, not yet opened.
    cursor: Option<String>,
}

impl PageRequest {
    /// Takes `limit` and `cursor` out of `pairs`.
    ///
    /// # Errors
    /// `InvalidParameter` for a limit outside 1..=1000.
    pub fn take(pairs: &mut Pairs) -> Result<Self> {
        let limit = take_limit(pairs)?;
        Ok(Self { limit, cursor: pairs.take_one("cursor")? })
    }

    /// Returns the limit as the database takes it.
    pub fn n_rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }

    /// Returns the row after which the page begins; `None` for the first page.
    ///
    /// # Errors
    /// `InvalidCursor` when it was not made by us for the query that `bound_to` describes.
    pub fn position(&self, keys: &SubKeySet, bound_to: &str) -> Result<Option<i64>> {
        self.cursor.as_deref().map(|cursor| open(keys, cursor, bound_to)).transpose()
    }
}

/// Takes `limit` out of `pairs`.
///
/// # Errors
/// `InvalidParameter` for a limit outside 1..=1000.
pub fn take_limit(pairs: &mut Pairs) -> Result<usize> {
    match pairs.take_one("limit")? {
        None => Ok(DEFAULT_LIMIT),
        Some(text) => parse_limit(&text),
    }
}

fn parse_limit(text: &str) -> Result<usize> {
    text.parse::<usize>().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(|| {
        query::invalid(
            "limit",
            format!("limit is a number in 1..={MAX_LIMIT}"),
            format!("limit est un nombre de 1 à {MAX_LIMIT}"),
        )
    })
}

/// Returns the cursor for the rows after `position` of the query that `bound_to` describes.
///
/// Row numbers would tell an outsider how many incidents there are in all, so the position is encrypted.
///
/// # Errors
/// When the position cannot be encrypted.
pub fn cursor(keys: &SubKeySet, position: i64, bound_to: &str) -> Result<String> {
    let mut bytes = keys.place_veil().veil_cell(position.cast_unsigned())?;
    let signature = keys.sign_cursor(&signed(&bytes, bound_to));
    bytes.extend_from_slice(&signature);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the cursor of the page after `rows`; `None` where they are not as many as were asked for.
///
/// # Errors
/// When the position cannot be encrypted.
pub fn next_cursor<T>(
    keys: &SubKeySet,
    page: &PageRequest,
    rows: &[T],
    position: impl Fn(&T) -> i64,
    bound_to: &str,
) -> Result<Option<String>> {
    let is_full = rows.len() == page.limit;
    let last = rows.last().filter(|_| is_full);
    last.map(|row| cursor(keys, position(row), bound_to)).transpose()
}

/// Returns the `Link` of the next page: the same query with another cursor.
pub fn next_link(request: &HttpRequest, next: &str) -> String {
    let kept = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query: Vec<&str> = kept.collect();
    let joint = if query.is_empty() { "" } else { "&" };
    format!("<{}?{}{joint}cursor={next}>; rel=\"next\"", request.path(), query.join("&"))
}

/// Returns the position of a cursor.
///
/// # Errors
/// `InvalidCursor` when it was not made by us for the query that `bound_to` describes.
pub fn open(keys: &SubKeySet, cursor: &str, bound_to: &str) -> Result<i64> {
    let bad = || Error::new(Code::InvalidCursor);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_not_base64| bad())?;
    let (position, signature) = bytes.split_at_checked(POSITION_BYTES).ok_or_else(bad)?;
    if !keys.verify_cursor(&signed(position, bound_to), signature) {
        return Err(bad());
    }
    let position = keys.place_veil().unveil_cell(position).map_err(|_not_ours| bad())?;
    Ok(position.cast_signed())
}

fn signed(position: &[u8], bound_to: &str) -> Vec<u8> {
    [position, bound_to.as_bytes()].concat()
}
