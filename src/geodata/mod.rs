//! Boundary packs: imported areas in the place of built-in ones, and what follows for stored reports.
//!
//! Start with [`import`]: a `GeoJSON` file is read feature by feature (`geojson`, `shape`), each feature's words are
//! understood (`naming`), areas get their ids (`matching`), the whole is weighed against the world we know
//! (`survey`), and only then stored (`store`). [`retag`] computes the areas of stored reports anew. Knows no HTTP.

pub mod geojson;
pub mod import;
mod matching;
mod naming;
pub mod refusal;
pub mod retag;
mod shape;
pub mod store;
pub mod survey;
pub mod tally;
