//! Sealing: what a stolen database, backup or disk image must not give away.
//!
//! Confidential text is sealed part by part under a data key of its own, each data key is wrapped by the one
//! *instance key*, and the instance key never lies in the database. Deleting a wrapped data key shreds its part in
//! every backup that does not hold the wrapped key itself.
//!
//! Invariant: this folder knows neither the database nor HTTP nor any other folder of ours. It takes bytes and gives
//! bytes; where they are stored and who may open them is decided elsewhere.
//!
//! It does not protect against someone who holds the instance key and the database, nor against whoever reads the
//! memory of the running process. Secrets are wiped when dropped, but a moved value may leave a copy on the stack.
//!
//! Start reading at [`envelope`]; [`key`] is the instance key and its file, [`handover`] how one follows another, [`subkeys`] the other secrets of an
//! instance, [`veil`] the deterministic encryption of places.

mod cipher;
pub mod crockford;
pub mod envelope;
pub mod handover;
pub mod key;
pub mod key_file;
mod mistyped;
mod padding;
pub mod subkeys;
pub mod veil;
