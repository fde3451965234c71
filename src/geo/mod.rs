//! Where a point is, and how well we know it.
//!
//! Country from `OpenStreetMap` borders, first-level area (*admin1*) from a built-in or an imported
//! pack, second-level area (*admin2*) from an imported one, time zone, H3 cell, nearest known diamond sites, distance to the next country. A leaf: it knows no
//! database, no HTTP, no report and no clock.
//!
//! Start with [`locate::Geo`]: `locate` says what a point is, `find_place` what a name is, `geotag`
//! weighs what a sender claimed against it. Coordinates are always a [`lonlat::LonLat`]. The data
//! and their licences are described in `data/README.md`.

pub mod areas;
mod bands;
pub mod border;
pub mod boundaries;
pub mod cells;
pub mod countries;
pub mod current;
pub mod error;
pub mod gazetteer;
pub mod geotag;
#[cfg(test)]
mod geotag_tests;
pub mod locate;
#[cfg(test)]
mod locate_tests;
pub mod lonlat;
pub mod names;
pub mod near;
mod pack;
pub mod packs;
pub mod sites;
mod weigh;
