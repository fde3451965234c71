//! Files that appear whole or not at all: written beside their place under another name, brought to disk, then named.
//!
//! What a process killed in between leaves is a hidden `.part` file that nothing reads, and that `doctor` names since it may
//! hold a key; never half a file by the right name.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

const PREFIX: &str = ".sentinelle-";
const SUFFIX: &str = ".part";

/// Returns what processes left of files beside `path` that were never whole; others may be written just now.
///
/// # Shape
/// Sorted; empty when the folder cannot be read.
pub fn list_unfinished(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder_of(path)).into_iter().flatten();
    let is_ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut left: Vec<PathBuf> = paths
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_ours))
        .collect();
    left.sort();
    left
}

/// A file on its way to its name, which only its owner may read; removed when dropped before.
pub struct NewFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl NewFile {
    /// Begins a file that will be at `path`.
    ///
    /// # Errors
    /// `AlreadyExists` when something is there, and what the operating system says of the folder.
    pub fn begin(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder_of(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Returns where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Brings what is written to disk.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }

    /// Brings it to disk, gives it its name, and brings that to disk too.
    ///
    /// # Errors
    /// `AlreadyExists` when something has that name by now: nothing is overwritten.
    pub fn publish(self) -> io::Result<()> {
        self.sync()?;
        self.file.persist_noclobber(&self.path).map_err(|error| error.error)?;
        // Whoever is told that it failed counts on nothing being there.
        sync_folder_of(&self.path).inspect_err(|_| drop(std::fs::remove_file(&self.path)))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Returns the folder a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the new name of a file survive a power cut: the entry belongs to the folder, not to the file.
///
/// # Errors
/// What the operating system said.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{ErrorKind, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use crate::new_file::{NewFile, list_unfinished};

    fn n_files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_file_has_its_name_only_once_it_is_whole_and_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let mut file = NewFile::begin(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!path.exists());

        file.publish().unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(n_files(folder.path()), 1);
    }

    #[test]
    fn a_file_given_up_leaves_nothing_and_one_that_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let begun = NewFile::begin(&path).unwrap();
        assert_eq!(list_unfinished(&path).len(), 1);
        drop(begun);
        assert_eq!(n_files(folder.path()), 0);

        let [mut first, second] = [(); 2].map(|()| NewFile::begin(&path).unwrap());
        first.write_all(b"first").unwrap();
        first.publish().unwrap();

        assert_eq!(second.publish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(NewFile::begin(&path).err().unwrap().kind(), ErrorKind::AlreadyExists);
        assert_eq!(
            (fs::read(&path).unwrap().as_slice(), n_files(folder.path())),
            (&b"first"[..], 1)
        );
    }
}
