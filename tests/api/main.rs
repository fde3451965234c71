//! The product over HTTP: the real application on a free port, its own database a test, a clock that stands still.
//!
//! `SENTINELLE_TEST_POSTGRES_URL` set: `PostgreSQL`, a fresh database a test. Unset: `SQLite`, a fresh file a test.

mod harness;
mod keeper;

mod audit;
mod backup;
mod canaries;
mod changes;
mod coalition;
mod commands;
mod contract;
mod counts;
mod denials;
mod devices;
mod erasing;
mod formats;
mod geodata;
mod grants;
mod headers;
mod intake;
mod keys;
mod lists;
mod mail;
mod metrics;
mod ndjson;
mod operation;
mod organisations;
mod people;
mod permissions;
mod place_names;
mod places;
mod privacy;
mod process;
mod queue;
mod rates;
mod receiver;
mod recount;
mod refusals;
mod regions;
mod relations;
mod restore;
mod reveal;
mod review;
mod robustness;
mod scope;
mod set_up;
mod sign_in;
mod sign_in_limits;
mod tidy;
mod tokens;
mod webhooks;
mod words;
