//! The product over HTTP: the real application on a free port, its own database a test, a clock that stands still.
//!
//! `SENTINELLE_TEST_POSTGRES_URL` set: `PostgreSQL`, a fresh database a test. Unset: `SQLite`, a fresh file a test.

mod harness;

mod counts;
mod intake;
mod ndjson;
mod places;
mod privacy;
mod process;
mod refusals;
mod robustness;
