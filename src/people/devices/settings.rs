//! What sets ODK Collect up: its settings as one QR code, so that nobody types a key.
//!
//! # Source
//! ODK documentation, "Import and export of app and form management settings": JSON, deflated (zlib), in base64, as a
//! QR code; `general` and `admin` are needed.

use std::io::Write;

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};

use crate::auth::credential::Credential;
use crate::config::PublicUrl;
use crate::error::{Code, Error, Result};

/// What Collect calls the project; it says nothing of whose phone it is.
const PROJECT: &str = "Sentinelle";
/// Width of the picture, at least.
const WIDTH_PX: u32 = 320;

/// Returns Collect's settings for a key at the server under `base`. They hold the key.
pub fn settings(base: &str, key: &Credential) -> Value {
    json!({
        "general": {
            "server_url": format!("{base}/odk/{}", key.expose()),
            "form_update_mode": "match_exactly",
        },
        "admin": {},
        "project": { "name": PROJECT },
    })
}

/// Returns the settings as a QR code in SVG.
///
/// # Errors
/// When they do not fit.
pub fn qr_code(settings: &Value) -> Result<String> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(settings.to_string().as_bytes()).map_err(Error::internal)?;
    let payload = STANDARD.encode(packed.finish().map_err(Error::internal)?);
    // Low redundancy keeps the squares large: it is read from a screen or fresh paper.
    let code = QrCode::with_error_correction_level(payload, EcLevel::L).map_err(Error::internal)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(WIDTH_PX, WIDTH_PX).build())
}

/// Returns the address under which phones reach the service: the public one, or where none is configured the one that
/// the client used, as `https` but on this machine.
///
/// # Errors
/// `BadRequest` where `Host` is asked and missing or no host.
pub fn base_of(public_url: Option<&PublicUrl>, request: &HttpRequest) -> Result<String> {
    if let Some(url) = public_url {
        return Ok(url.origin().to_owned());
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let is_plain = |host: &&str| {
        let is_part =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        (1..=255).contains(&host.len()) && host.chars().all(is_part)
    };
    let host = host.filter(is_plain).ok_or_else(|| Error::new(Code::BadRequest))?;
    let is_here = ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here));
    Ok(format!("{}://{host}", if is_here { "http" } else { "https" }))
}
