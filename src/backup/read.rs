//! Reads one part of a backup line by line, and proves at its end that it is whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use age::DecryptError;
use age::stream::StreamReader;
use base16ct::lower;
use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::backup::error::BackupError;
use crate::backup::format::{
    FORMAT, FORMAT_VERSION, Header, Mark, Part, TableEnd, TableHead, Trailer,
};
use crate::backup::identities::Identities;

/// The longest row held in memory; what we store in one is far below.
const LINE_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// A part whose header was read.
pub(super) struct PartReader {
    pub(super) header: Header,
    lines: Lines,
}

/// What comes next in a part.
pub(super) enum Next<'a> {
    Table(TableHead),
    Row(&'a str),
    End(TableEnd),
    /// The part is over and whole; rows by table.
    Whole(BTreeMap<String, u64>),
}

impl PartReader {
    /// Opens a part and reads its header.
    pub(super) fn open(
        path: &Path,
        wanted: Part,
        identities: &Identities,
    ) -> Result<Self, BackupError> {
        let mut lines = Lines::open(path, identities)?;
        let why = "it does not begin as one".to_owned();
        let not_ours = BackupError::NotABackup { path: path.to_owned(), why };
        if !lines.advance()? {
            return Err(not_ours);
        }
        let Ok(Mark::Header(header)) = serde_json::from_str(lines.text()?) else {
            return Err(lines.newer_format().unwrap_or(not_ours));
        };
        lines.hash();
        if header.format != FORMAT {
            return Err(not_ours);
        }
        if header.format_version != FORMAT_VERSION {
            return Err(lines.newer_format().unwrap_or(not_ours));
        }
        if header.part != wanted {
            return Err(BackupError::WrongPart {
                path: path.to_owned(),
                found: header.part.name(),
                wanted: wanted.name(),
            });
        }
        Ok(Self { header, lines })
    }

    /// Returns what comes next; the end only after it was proved that nothing is missing, changed or added.
    pub(super) fn next(&mut self) -> Result<Next<'_>, BackupError> {
        if !self.lines.advance()? {
            return Err(self.lines.damaged("it ends too early"));
        }
        if self.lines.line.first() == Some(&b'[') {
            self.lines.hash();
            return self.lines.text().map(Next::Row);
        }
        let mark = serde_json::from_str(self.lines.text()?);
        match mark.map_err(|error| self.lines.damaged(error.to_string()))? {
            Mark::Table(head) => {
                self.lines.hash();
                Ok(Next::Table(head))
            }
            Mark::End(end) => {
                self.lines.hash();
                Ok(Next::End(end))
            }
            Mark::Trailer(trailer) => self.close(trailer).map(Next::Whole),
            Mark::Header(_) => Err(self.lines.damaged("it has two headers")),
        }
    }

    fn close(&mut self, trailer: Trailer) -> Result<BTreeMap<String, u64>, BackupError> {
        if lower::encode_string(&self.lines.digest.clone().finalize()) != trailer.sha256 {
            return Err(self.lines.damaged("its SHA-256 is another"));
        }
        if trailer.n_rows.values().sum::<u64>() != self.header.n_rows {
            return Err(self.lines.damaged("it has fewer or more rows than it says"));
        }
        if self.lines.advance()? || self.lines.has_more_bytes()? {
            return Err(self.lines.damaged("something follows its end"));
        }
        Ok(trailer.n_rows)
    }

    /// Returns the error of this part having been changed.
    pub(super) fn damaged(&self, why: impl Into<String>) -> BackupError {
        self.lines.damaged(why)
    }
}

struct Lines {
    path: PathBuf,
    plain: BufReader<GzDecoder<BufReader<StreamReader<BufReader<File>>>>>,
    /// The line read last, without its end.
    line: Vec<u8>,
    digest: Sha256,
}

impl Lines {
    fn open(path: &Path, identities: &Identities) -> Result<Self, BackupError> {
        let file = File::open(path)
            .map_err(|source| BackupError::Read { path: path.to_owned(), source })?;
        let opened = age::Decryptor::new_buffered(BufReader::new(file))
            .and_then(|encrypted| encrypted.decrypt(identities.each()))
            .map_err(|error| explain(path, &error))?;
        let plain = BufReader::new(GzDecoder::new(BufReader::new(opened)));
        Ok(Self { path: path.to_owned(), plain, line: Vec::new(), digest: Sha256::new() })
    }

    /// Reads the next line; tells whether there was one.
    fn advance(&mut self) -> Result<bool, BackupError> {
        self.line.clear();
        let read = (&mut self.plain).take(LINE_LIMIT_BYTES).read_until(b'\n', &mut self.line);
        if read.map_err(|error| self.damaged(error.to_string()))? == 0 {
            return Ok(false);
        }
        if self.line.pop() != Some(b'\n') {
            return Err(self.damaged("it ends in the middle of a line, or a line has no end"));
        }
        Ok(true)
    }

    /// Tells whether the encrypted file goes on behind what was compressed; reads on to its last, proving chunk.
    fn has_more_bytes(&mut self) -> Result<bool, BackupError> {
        let read = self.plain.get_mut().get_mut().read(&mut [0]);
        Ok(read.map_err(|error| self.damaged(error.to_string()))? > 0)
    }

    fn text(&self) -> Result<&str, BackupError> {
        std::str::from_utf8(&self.line).map_err(|error| self.damaged(error.to_string()))
    }

    fn hash(&mut self) {
        self.digest.update(&self.line);
        self.digest.update(b"\n");
    }

    /// Returns the error of a format this program does not know, where the first line says so.
    fn newer_format(&self) -> Option<BackupError> {
        let line: serde_json::Value = serde_json::from_slice(&self.line).ok()?;
        let header = line.get("header")?;
        let is_ours = header.get("format")?.as_str()? == FORMAT;
        let found = u32::try_from(header.get("format_version")?.as_u64()?).ok()?;
        (is_ours && found != FORMAT_VERSION).then(|| BackupError::NewerFormat {
            path: self.path.clone(),
            found,
            known: FORMAT_VERSION,
        })
    }

    fn damaged(&self, why: impl Into<String>) -> BackupError {
        BackupError::damaged(&self.path, why)
    }
}

fn explain(path: &Path, error: &DecryptError) -> BackupError {
    match error {
        DecryptError::NoMatchingKeys => BackupError::WrongIdentity(path.to_owned()),
        DecryptError::InvalidMac | DecryptError::DecryptionFailed => {
            BackupError::damaged(path, error.to_string())
        }
        DecryptError::Io(source) if source.kind() == ErrorKind::UnexpectedEof => {
            BackupError::damaged(path, "it ends in its first bytes")
        }
        DecryptError::Io(source) => BackupError::damaged(path, source.to_string()),
        other => BackupError::NotABackup { path: path.to_owned(), why: other.to_string() },
    }
}
