//! The file of the instance key: private, never overwritten, on disk before anything is sealed with it.
//!
//! It holds the recovery text under a comment. A systemd credential is only a path (`$CREDENTIALS_DIRECTORY/name`)
//! that the caller gives.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::new_file::NewFile;
use crate::seal::key::{InstanceKey, KeyTextError};

/// A key file is some hundred bytes; a larger one is the wrong file.
const FILE_LIMIT_BYTES: u64 = 4096;
/// Anything for everyone, and for the group more than reading.
const OPEN_BITS: u32 = 0o037;
/// Most that a file made after another one allows: reading by the group.
const MOST_BITS: u32 = 0o640;
const FILE_COMMENT: &str = "\
# Sentinelle instance key. Who has this file and the database reads everything; without it nothing can be read.
# Keep a copy apart from the database and its backups.
";

/// Reports why a key file could not be read or written, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file.
    #[error("there is no instance key at {}: restore the file, or write it again from the recovery text", .0.display())]
    Missing(PathBuf),
    /// The file is there but does not hold a key.
    #[error("the instance key file {} cannot be used: {reason}; write it again from the recovery text", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with its text.
        reason: KeyTextError,
    },
    /// The file is there but holds nothing, as after a power cut during the first start.
    #[error("the instance key file {} is empty: delete it if there is no data yet, else write it again from the recovery text", .0.display())]
    Empty(PathBuf),
    /// The file holds bytes that are no text.
    #[error("{} is not an instance key file, it holds no text: check the path", .0.display())]
    NotText(PathBuf),
    /// A key is never overwritten.
    #[error("{} already exists: a key is never overwritten, move the file away first", .0.display())]
    Exists(PathBuf),
    /// The operating system refused to read.
    #[error("cannot read the instance key file {}: check that the account of the server may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write the instance key file {}: check the folder, its permissions and free space", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Says who besides its owner may use a key file. Reading never fails on it; the caller shows [`Self::warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFileMode {
    /// Owner only, or also readable by the group: services are given secrets as `root:service 0640`, and systemd shows
    /// its access list as group bits.
    Private,
    /// Everyone may touch it, or the group may change it.
    TooOpen {
        /// The permission bits.
        mode: u32,
    },
}

/// Holds a key read from a file and what to say about the file.
#[derive(Debug)]
pub struct KeyFile {
    /// The key.
    pub key: InstanceKey,
    /// Who may use the file.
    pub mode: KeyFileMode,
}

impl InstanceKey {
    /// Reads the key of a file.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Unreadable`], [`KeyError::NotText`], [`KeyError::Empty`] and
    /// [`KeyError::Malformed`].
    pub fn read_file(path: &Path) -> Result<KeyFile, KeyError> {
        let unreadable = |source: io::Error| {
            if source.kind() == io::ErrorKind::NotFound {
                KeyError::Missing(path.to_owned())
            } else if source.kind() == io::ErrorKind::InvalidData {
                KeyError::NotText(path.to_owned())
            } else {
                KeyError::Unreadable { path: path.to_owned(), source }
            }
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        // Reserved at once, so that reading never leaves an unwiped shorter buffer behind.
        let mut text = Zeroizing::new(String::with_capacity(8192));
        file.take(FILE_LIMIT_BYTES).read_to_string(&mut text).map_err(unreadable)?;
        let key = Self::from_text(&text).map_err(|reason| {
            if matches!(reason, KeyTextError::Length { found: 0, .. }) {
                KeyError::Empty(path.to_owned())
            } else {
                KeyError::Malformed { path: path.to_owned(), reason }
            }
        })?;
        Ok(KeyFile { key, mode: KeyFileMode::from_bits(mode) })
    }

    /// Writes the key to a new file that only its owner may read, and waits until file and folder are on disk. Whoever sees
    /// the file sees the whole key, though this process be killed at any point: half a key would stop every later start.
    ///
    /// # Errors
    /// [`KeyError::Exists`] and [`KeyError::Unwritable`].
    pub fn create_file(&self, path: &Path) -> Result<(), KeyError> {
        self.write_to(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::Unwritable { path: path.to_owned(), source },
        })
    }

    /// Like [`InstanceKey::create_file`], for the owner and group of the file `model` and with no more rights than that gives:
    /// what root writes, the account of the server must be able to read.
    ///
    /// # Errors
    /// As [`InstanceKey::create_file`]; also when this account may not give the file away.
    pub fn create_file_like(&self, path: &Path, model: &Path) -> Result<(), KeyError> {
        self.create_file(path)?;
        give_to_owner_of(path, model).map_err(|source| {
            // Nobody uses this key yet.
            let _ = fs::remove_file(path);
            KeyError::Unwritable { path: path.to_owned(), source }
        })
    }

    fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut file = NewFile::begin(path)?;
        file.write_all(FILE_COMMENT.as_bytes())?;
        file.write_all(self.recovery_text().as_bytes())?;
        file.write_all(b"\n")?;
        file.publish()
    }
}

impl KeyFileMode {
    fn from_bits(mode: u32) -> Self {
        if mode & OPEN_BITS == 0 { Self::Private } else { Self::TooOpen { mode: mode & 0o777 } }
    }

    /// Returns what to tell the operator about the file, if anything.
    pub fn warning(&self, path: &Path) -> Option<String> {
        match self {
            Self::Private => None,
            Self::TooOpen { mode } => Some(format!(
                "the instance key {} has permissions {mode:03o}, others on this machine can use it: chmod 600 {}",
                path.display(),
                path.display()
            )),
        }
    }
}

/// Gives a key file to the owner and group of the file `model`, with no more rights than that gives and never more than
/// reading by the group.
///
/// # Errors
/// What the operating system said; so when this account may not give the file away.
pub fn give_to_owner_of(path: &Path, model: &Path) -> io::Result<()> {
    let (own, model) = (fs::metadata(path)?, fs::metadata(model)?);
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        chown(path, Some(model.uid()), Some(model.gid()))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(model.mode() & MOST_BITS))?;
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use crate::seal::key::InstanceKey;
    use crate::seal::key_file::{KeyError, KeyFileMode};

    fn swap_first_letter(text: &str) -> String {
        let first = if text.starts_with('5') { "6" } else { "5" };
        format!("{first}{}", &text[1..])
    }

    #[test]
    fn a_key_file_is_private_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.key");
        let key = InstanceKey::generate().unwrap();

        key.create_file(&path).unwrap();
        let read = InstanceKey::read_file(&path).unwrap();

        assert_eq!(read.key.id(), key.id());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read.mode.warning(&path), None);
        assert!(matches!(key.create_file(&path), Err(KeyError::Exists(_))), "never overwritten");
    }

    #[test]
    fn whoever_sees_a_key_file_sees_the_whole_key() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..50).map(|n| folder.path().join(format!("{n}.key"))).collect();
        let key = InstanceKey::generate().unwrap();

        std::thread::scope(|scope| {
            scope.spawn(|| paths.iter().for_each(|path| key.create_file(path).unwrap()));
            for path in &paths {
                let read = loop {
                    match InstanceKey::read_file(path) {
                        Err(KeyError::Missing(_)) => std::thread::yield_now(),
                        read => break read,
                    }
                };
                assert_eq!(read.unwrap().key.id(), key.id());
            }
        });
    }

    #[test]
    fn a_key_file_open_to_others_is_read_with_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.key");
        InstanceKey::generate().unwrap().create_file(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();

        let read = InstanceKey::read_file(&path).unwrap();

        assert_eq!(read.mode, KeyFileMode::TooOpen { mode: 0o644 });
        assert!(read.mode.warning(&path).unwrap().contains("chmod 600"));
    }

    #[test]
    fn an_empty_or_binary_file_is_told_apart_from_a_mistyped_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.key");

        fs::write(&path, "# a comment only\n").unwrap();
        assert!(matches!(InstanceKey::read_file(&path), Err(KeyError::Empty(_))));
        fs::write(&path, [0xff; 32]).unwrap();
        assert!(matches!(InstanceKey::read_file(&path), Err(KeyError::NotText(_))));
    }

    #[test]
    fn errors_name_the_file_and_the_remedy_but_not_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.key");
        let text = InstanceKey::generate().unwrap().recovery_text();
        let mistyped_text = swap_first_letter(&text);
        let missing = InstanceKey::read_file(&path).unwrap_err().to_string();
        fs::write(&path, &mistyped_text).unwrap();
        let mistyped = InstanceKey::read_file(&path).unwrap_err().to_string();

        for message in [missing, mistyped] {
            assert!(message.contains("instance.key"), "{message}");
            assert!(message.contains("recovery text"), "{message}");
            assert!(!message.contains(&text[6..11]), "{message}");
        }
    }
}
