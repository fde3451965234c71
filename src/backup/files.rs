//! Files that appear whole or not at all: written beside their place under another name, brought to disk, then named.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::backup::error::BackupError;
use crate::backup::format::hex;
use crate::seal::key_file::sync_folder_of;

/// A private file on its way to its name; removed when dropped before.
pub(super) struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
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

impl NewFile {
    /// Begins a file that will be at `path`; only its owner may read it.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupError> {
        if path.exists() {
            return Err(BackupError::Exists(path.to_owned()));
        }
        let file = tempfile::Builder::new()
            .prefix(".sentinelle-backup-")
            .suffix(".part")
            .tempfile_in(folder_of(path))
            .map_err(|source| BackupError::write(path, source))?;
        Ok(Self { path: path.to_owned(), file, digest: Sha256::new(), n_bytes: 0 })
    }

    /// Brings the bytes to disk.
    pub(super) fn sync(&self) -> Result<(), BackupError> {
        self.file.as_file().sync_all().map_err(|source| BackupError::write(&self.path, source))
    }

    /// Gives the file its name, which must be free, and brings that to disk.
    pub(super) fn publish(self) -> Result<FileReport, BackupError> {
        let Self { path, file, digest, n_bytes } = self;
        file.persist_noclobber(&path).map_err(|error| BackupError::write(&path, error.error))?;
        sync_folder_of(&path).map_err(|source| BackupError::write(&path, source))?;
        Ok(FileReport { file: path, n_bytes, sha256: hex(&digest.finalize()) })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.file.as_file_mut().write(bytes)?;
        self.digest.update(bytes.get(..n_written).unwrap_or_default());
        self.n_bytes += u64::try_from(n_written).unwrap_or(u64::MAX);
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Returns the folder a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
