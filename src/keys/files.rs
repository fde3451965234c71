//! Where the file of the next instance key lies, and how it comes into the place of the old one.
//!
//! The new key is on disk before anything is wrapped by it, and the file that servers read holds the old or the new key at
//! every moment: both open everything until the rotation ends, so a start in between works with either.

use std::fs;
use std::path::{Path, PathBuf};

use crate::context::KeyPlace;
use crate::new_file::sync_folder_of;
use crate::seal::key::InstanceKey;
use crate::seal::key_file::{KeyError, give_to_owner_of};

/// Why the files cannot be as they should; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The old key came from where nothing can be put.
    #[error(
        "the instance key is given by {0}: say where the new one is to be written, with --new-key-file FILE"
    )]
    NoFile(&'static str),
    /// The file holds the key that is to be replaced.
    #[error("{} holds the instance key in use: give another file for the new one", .0.display())]
    HoldsOldKey(PathBuf),
    /// The file holds another key than the one that is being changed to.
    #[error("{} holds key {found}, but the instance key is being changed to {wanted}: give the file of that key, or another name", path.display())]
    HoldsOther {
        /// The file.
        path: PathBuf,
        /// Id of the key in it.
        found: String,
        /// Id of the key that belongs there.
        wanted: String,
    },
    /// The operating system refused to move a file.
    #[error("cannot put the new instance key in the place of {}: {source}", path.display())]
    Move {
        /// The file in use.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Where the next key is written, and whether it takes the old one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextFile {
    /// To a file of its own: the operator points the servers at it.
    Apart(PathBuf),
    /// Beside the file in use, whose place it takes.
    InPlace {
        /// The file in use.
        current: PathBuf,
        /// The new one until then.
        next: PathBuf,
    },
}

impl NextFile {
    /// Returns where the key goes that follows the one at `place`: to `given`, or beside the file in use.
    ///
    /// # Errors
    /// [`KeyFileError::NoFile`] when neither is there.
    pub fn choose(place: &KeyPlace, given: Option<&Path>) -> Result<Self, KeyFileError> {
        match (given, place) {
            (Some(path), _) => Ok(Self::Apart(path.to_owned())),
            (None, KeyPlace::File(path) | KeyPlace::BesideData(path)) => {
                // A link stays a link: what it points at is changed.
                let current = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let next = with_suffix(&current, "new");
                Ok(Self::InPlace { current, next })
            }
            (None, KeyPlace::Credential(_)) => Err(KeyFileError::NoFile("a systemd credential")),
            (None, KeyPlace::Environment) => Err(KeyFileError::NoFile("the environment")),
        }
    }

    /// Returns the file that the next key is written to.
    pub fn path(&self) -> &Path {
        match self {
            Self::Apart(path) | Self::InPlace { next: path, .. } => path,
        }
    }

    /// Returns the file that holds the next key in the end.
    pub fn final_path(&self) -> &Path {
        match self {
            Self::Apart(path) | Self::InPlace { current: path, .. } => path,
        }
    }

    /// Returns the key to change to: the one in the file, where a run before was cut off or the operator put it, else a
    /// new one, written to disk.
    ///
    /// # Errors
    /// When the file holds what is no key, or the one in use, or cannot be written.
    pub fn make(&self, place: &KeyPlace, old: &InstanceKey) -> Result<InstanceKey, KeyFileError> {
        match InstanceKey::read_file(self.path()) {
            Ok(file) if file.key.id() == old.id() => {
                Err(KeyFileError::HoldsOldKey(self.path().to_owned()))
            }
            Ok(file) => Ok(file.key),
            Err(KeyError::Missing(_)) => {
                let key = InstanceKey::generate().map_err(|error| {
                    let source = std::io::Error::other(error);
                    KeyError::Unwritable { path: self.path().to_owned(), source }
                })?;
                self.write(place, &key)?;
                Ok(key)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that the key a rotation changes to is on disk; a run before may have put it in its place already.
    ///
    /// # Errors
    /// When the file holds another key or cannot be written.
    pub fn ensure(&self, place: &KeyPlace, new: &InstanceKey) -> Result<(), KeyFileError> {
        if self.is_placed(new) {
            return Ok(());
        }
        match InstanceKey::read_file(self.path()) {
            Ok(file) if file.key.id() == new.id() => Ok(()),
            Ok(file) => Err(KeyFileError::HoldsOther {
                path: self.path().to_owned(),
                found: file.key.id().to_owned(),
                wanted: new.id().to_owned(),
            }),
            Err(KeyError::Missing(_)) => self.write(place, new),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, place: &KeyPlace, key: &InstanceKey) -> Result<(), KeyFileError> {
        match place.path().filter(|path| path.exists()) {
            Some(model) => key.create_file_like(self.path(), model)?,
            None => key.create_file(self.path())?,
        }
        Ok(())
    }

    fn is_placed(&self, new: &InstanceKey) -> bool {
        let held = InstanceKey::read_file(self.final_path());
        held.is_ok_and(|file| file.key.id() == new.id())
    }

    /// Puts the new key in the place of the old one, which is kept in a file named after it; returns that file.
    ///
    /// # Errors
    /// When the operating system refuses; the file in use is whole all the same.
    pub fn place(
        &self,
        old: &InstanceKey,
        new: &InstanceKey,
    ) -> Result<Option<PathBuf>, KeyFileError> {
        let Self::InPlace { current, next } = self else {
            return Ok(None);
        };
        let kept = with_suffix(current, &format!("old-{}", old.id()));
        if self.is_placed(new) {
            return Ok(kept.exists().then_some(kept));
        }
        match old.create_file_like(&kept, current) {
            Err(KeyError::Exists(_)) if InstanceKey::read_file(&kept)?.key.id() == old.id() => {}
            written => written?,
        }
        // Again, where a run was cut off between writing the file and giving it away.
        give_to_owner_of(next, current)
            .and_then(|()| fs::rename(next, current))
            .and_then(|()| sync_folder_of(current))
            .map_err(|source| KeyFileError::Move { path: current.clone(), source })?;
        Ok(Some(kept))
    }
}

/// Returns the files of earlier keys beside the key file at `path`.
///
/// # Shape
/// Sorted; empty when the folder cannot be read.
pub fn list_old_files(path: &Path) -> Vec<PathBuf> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let prefix = with_suffix(&path, "old-");
    let prefix = prefix.to_string_lossy();
    let entries = path.parent().and_then(|folder| fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut old: Vec<PathBuf> =
        paths.filter(|path| path.to_string_lossy().starts_with(&*prefix)).collect();
    old.sort();
    old
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::context::KeyPlace;
    use crate::keys::files::{KeyFileError, NextFile, list_old_files};
    use crate::seal::key::InstanceKey;

    fn id_in(path: &std::path::Path) -> String {
        InstanceKey::read_file(path).unwrap().key.id().to_owned()
    }

    #[test]
    fn the_file_in_use_holds_a_whole_key_at_every_step_and_the_old_one_is_kept_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.key");
        let old = InstanceKey::generate().unwrap();
        old.create_file(&path).unwrap();
        let place = KeyPlace::BesideData(path.clone());
        let next = NextFile::choose(&place, None).unwrap();

        let new = next.make(&place, &old).unwrap();
        assert_eq!((id_in(&path).as_str(), id_in(next.path()).as_str()), (old.id(), new.id()));
        assert_eq!(
            next.make(&place, &old).unwrap().id(),
            new.id(),
            "a run that was cut off goes on"
        );
        next.ensure(&place, &new).unwrap();
        let kept = next.place(&old, &new).unwrap().unwrap();

        assert_eq!((id_in(&path).as_str(), id_in(&kept).as_str()), (new.id(), old.id()));
        assert!(!next.path().exists());
        assert!(kept.ends_with(format!("instance.key.old-{}", old.id())));
        assert_eq!(list_old_files(&path), std::slice::from_ref(&kept));
        next.ensure(&place, &new).unwrap();
        assert!(!next.path().exists(), "it is in its place, and nothing is written again");
        assert_eq!(next.place(&old, &new).unwrap(), Some(kept), "placing again changes nothing");
    }

    #[test]
    fn a_run_cut_off_between_the_two_moves_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.key");
        let old = InstanceKey::generate().unwrap();
        old.create_file(&path).unwrap();
        let place = KeyPlace::File(path.clone());
        let next = NextFile::choose(&place, None).unwrap();
        let new = next.make(&place, &old).unwrap();
        let kept = folder.path().join(format!("instance.key.old-{}", old.id()));
        old.create_file(&kept).unwrap();

        assert_eq!(next.place(&old, &new).unwrap(), Some(fs::canonicalize(kept).unwrap()));

        assert_eq!(id_in(&path), new.id());
    }

    #[test]
    fn the_new_file_may_not_hold_the_old_key_nor_another_than_the_one_changed_to() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("instance.key"), folder.path().join("other.key"));
        let [old, new, third] = [(); 3].map(|()| InstanceKey::generate().unwrap());
        old.create_file(&path).unwrap();
        third.create_file(&other).unwrap();
        let place = KeyPlace::File(path.clone());

        let same = NextFile::choose(&place, Some(&path)).unwrap();
        assert!(matches!(same.make(&place, &old), Err(KeyFileError::HoldsOldKey(_))));
        let apart = NextFile::choose(&place, Some(&other)).unwrap();
        assert!(matches!(apart.ensure(&place, &new), Err(KeyFileError::HoldsOther { .. })));
        assert_eq!(
            apart.make(&place, &old).unwrap().id(),
            third.id(),
            "a key made elsewhere is used"
        );
        assert_eq!(apart.place(&old, &third).unwrap(), None);
        assert!(NextFile::choose(&KeyPlace::Environment, None).is_err());
    }
}
