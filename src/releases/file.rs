//! The file of all atoms of a release: what is hashed, and what anybody can take home whole.

use base16ct::lower;
use sha2::{Digest, Sha256};

use crate::releases::types::ReleasedAtom;

/// The first line.
const HEADER: &str = "country,places,times,categories,incidents\r\n";

/// Returns the file: one line an atom, codes separated by spaces, an empty figure where it may not be told.
///
/// # Shape
/// UTF-8 without a mark, comma, CRLF. No code holds a comma, a quote or what a spreadsheet would run.
pub fn write_atoms<'a>(atoms: impl IntoIterator<Item = &'a ReleasedAtom>) -> String {
    let line = |atom: &ReleasedAtom| {
        let figure = atom.incidents.map(|incidents| incidents.to_string()).unwrap_or_default();
        let axes = [&atom.places, &atom.times, &atom.categories].map(|codes| codes.join(" "));
        format!("{},{},{figure}\r\n", atom.country, axes.join(","))
    };
    std::iter::once(HEADER.to_owned()).chain(atoms.into_iter().map(line)).collect()
}

/// Returns the hash of the file, in hexadecimal.
pub fn hash_atoms<'a>(atoms: impl IntoIterator<Item = &'a ReleasedAtom>) -> String {
    lower::encode_string(&Sha256::digest(write_atoms(atoms).as_bytes()))
}
