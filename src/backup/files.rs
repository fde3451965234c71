//! Files of a backup: whole or not there, and what to know of one that is finished.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base16ct::lower;
use sha2::{Digest, Sha256};

use crate::backup::error::BackupError;
use crate::new_file::NewFile;

/// A file of a backup on its way to its name.
pub(super) struct BackupFile {
    file: NewFile,
    digest: Sha256,
    n_bytes: u64,
}

/// What a finished file is.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FileReport {
    /// Where it is.
    pub file: PathBuf,
    /// Its size.
    pub n_bytes: u64,
    /// Its SHA-256, as `sha256sum` shows it.
    pub sha256: String,
}

impl BackupFile {
    /// Begins a file that will be at `path`; only its owner may read it.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupError> {
        let file = NewFile::begin(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
            _ => BackupError::write(path, source),
        })?;
        Ok(Self { file, digest: Sha256::new(), n_bytes: 0 })
    }

    /// Brings the bytes to disk.
    pub(super) fn sync(&self) -> Result<(), BackupError> {
        self.file.sync().map_err(|source| BackupError::write(self.file.path(), source))
    }

    /// Gives the file its name, which must be free, and brings that to disk.
    pub(super) fn publish(self) -> Result<FileReport, BackupError> {
        let Self { file, digest, n_bytes } = self;
        let path = file.path().to_owned();
        file.publish().map_err(|source| BackupError::write(&path, source))?;
        Ok(FileReport { file: path, n_bytes, sha256: lower::encode_string(&digest.finalize()) })
    }
}

impl Write for BackupFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.file.write(bytes)?;
        self.digest.update(bytes.get(..n_written).unwrap_or_default());
        self.n_bytes += u64::try_from(n_written).unwrap_or(u64::MAX);
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
