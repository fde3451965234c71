//! The words a report is described with: the taxonomy of categories and the lists of codes, in English and French.
//!
//! A leaf: it knows no database, no HTTP, no report and no clock.
//!
//! Start with [`catalogue::Taxonomy`]; `leaf` turns what a sender wrote into a [`catalogue::Leaf`] or says what was
//! meant. [`lists::CodeLists`] holds the short lists (actors, sources, statuses, ...). [`lexicon`] suggests categories for
//! free text. All are read from `data/`.

pub mod catalogue;
#[cfg(test)]
mod catalogue_tests;
pub mod error;
pub mod label;
pub mod lexicon;
pub mod lists;
#[cfg(test)]
mod lists_tests;
pub(crate) mod read;
pub mod suggest;
