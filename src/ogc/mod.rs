//! OGC API Features at `/ogc`: maps and statistics programs read incidents, sites and areas without learning our API.
//!
//! It shows what everybody with the right to lists may see: of an incident its codes and the generalised place, never more,
//! whoever asks. Whatever is asked by filter, box or day is asked of these alone, so that nothing hidden can be found by
//! asking often. It selects by the same `Selector` as lists and counts do.
//!
//! Start at `collections` (what there is), then `http` (what is answered), `query` (what may be asked), `cql2` (filters) and
//! `incidents` (how they are found in the columns). `api` describes all this to programs, from the same tables.
//!
//! # Source
//! OGC 17-069r4 (Part 1: Core 1.0), 18-058r1 (Part 2: CRS 1.0), 19-079r2 (Part 3: Filtering 1.0), 21-065r2 (CQL2 1.0).

mod api;
pub mod collections;
pub mod cql2;
pub mod crs;
mod feature;
pub mod http;
mod incidents;
mod links;
pub mod period;
mod places;
pub mod property;
mod query;
