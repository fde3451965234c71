//! Likely duplicates: how many of those told twice are found, and what it takes to look for them as incidents add up.
//!
//! `SENTINELLE_BENCH_DUPLICATES=10000,100000` measures look-ups at other numbers of incidents.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use diesel::RunQueryDsl;
use sentinelle::auth::accounts::{add_token, add_user};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::context::Context;
use sentinelle::db::dialect::{insert_rows, next_incident_ids};
use sentinelle::db::rows::NewRows;
use sentinelle::db::schema::duplicate_blocks;
use sentinelle::geo::cells::Cell;
use sentinelle::geo::lonlat::LonLat;
use sentinelle::ids::{IncidentId, ReportId};
use sentinelle::incidents::facts::{DatePrecision, DaySpan};
use sentinelle::incidents::store::add_incident;
use sentinelle::incidents::types::{
    CategoryFact, Facts, PlaceFacts, ReportCodes,
};
use sentinelle::review::duplicates::load::Memory;
use sentinelle::review::duplicates::worker::{look_up, run_once};
use sentinelle::seal::envelope::{Owner, OwnerKind, Part};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::accounts::{Kind, invent};
use crate::intake::{App, new_database};
use crate::recognised::{Recognised, Seen};
use crate::table::{Table, median_ms};

/// Not the one that weights were chosen by.
const SEED: u64 = 977_431;
