//! Imports a boundary file: reads and weighs all of it, and only then stores it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use geo::{BoundingRect, Contains, CoordsIter, MultiPolygon};
use sha2::{Digest, Sha256};

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::context::Context;
use crate::error::Error;
use crate::geo::areas::merge::probes;
use crate::geo::areas::{Area, Areas, PackSource};
use crate::geo::countries::CountryCode;
use crate::geo::locate::Geo;
use crate::geo::lonlat::LonLat;
use crate::geo::packs::{Level, Pack, encode};
use crate::geodata::geojson::{Feature, read_features};
use crate::geodata::matching::{Draft, Matched, identify};
use crate::geodata::naming::{Codes, Named, Words};
use crate::geodata::refusal::Refusal;
use crate::geodata::store::{self, NewPackRow};
use crate::geodata::survey::{CountryReport, check_places, survey, told};
use crate::ids::ImportId;

/// Most positions of a file on the grid; as edges in memory they take some 130 MB.
const MAX_POSITIONS: usize = 4_000_000;

/// What the caller says of the file; it goes before what the file says of itself.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Level of the areas.
    pub level: Option<Level>,
    /// Name of the data set.
    pub source: Option<String>,
    /// Year the areas are of.
    pub year: Option<i64>,
    /// Words to show.
    pub licence: Option<String>,
    /// Countries to import; empty imports all that the file has.
    pub only: BTreeSet<CountryCode>,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportReport {
    /// 1 or 2.
    pub level: i16,
    /// Name of the data set.
    pub source: String,
    /// Year the areas are of.
    pub year: u16,
    /// Features read.
    pub n_features: usize,
    /// Of them, left out as of countries not asked for.
    pub n_skipped: usize,
    /// Size of the stored packs.
    pub n_bytes: usize,
    /// By country.
    pub countries: Vec<CountryReport>,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not fit.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Imports the file at `path`; `progress` is told the number of features read, after each.
///
/// # Errors
/// [`Refusal`], or the database's failure: the packs in use stay then.
pub fn import(
    context: &Context,
    path: &Path,
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<ImportReport, ImportError> {
    let file = std::fs::File::open(path).map_err(Refusal::Io)?;
    let mut file = Hashing { file, hash: Sha256::new() };
    let (packs, mut report) = read(&mut file, &context.geo(), options, progress)?;
    let import_id = ImportId::random();
    let now = context.clock.now();
    let file_sha256 = file.finish()?;
    let row = |pack: &Pack| -> Result<NewPackRow, Refusal> {
        Ok(NewPackRow {
            country: pack.country.to_string(),
            level: pack.level.number(),
            import_id,
            source: pack.source.name.as_ref().to_owned(),
            year: pack.source.year.into(),
            licence: pack.source.licence.as_ref().to_owned(),
            file_sha256: file_sha256.clone(),
            n_areas: i32::try_from(pack.areas.len()).unwrap_or(i32::MAX),
            imported_at: now.naive_utc(),
            content: encode(&pack.areas)?,
        })
    };
    let rows: Vec<NewPackRow> = packs.iter().map(row).collect::<Result<_, _>>()?;
    report.n_bytes = rows.iter().map(|row| row.content.len()).sum();
    let countries: Vec<&str> = rows.iter().map(|row| row.country.as_str()).collect();
    let detail = format!("imported {} {}", report.level, countries.join(" "));
    context.db.write_here(move |tx| {
        store::replace_packs(tx.conn, &rows)?;
        tx.record(Entry::new(Act::ChangedPacks, import_id, now).detail(detail));
        Ok(())
    })?;
    context.refresh_packs()?;
    Ok(report)
}

/// Removes the packs of a level from `countries`; returns those that had one.
///
/// # Errors
/// When the database fails.
pub fn remove(
    context: &Context,
    level: Level,
    countries: &BTreeSet<CountryCode>,
) -> crate::error::Result<Vec<CountryCode>> {
    let (id, now) = (ImportId::random(), context.clock.now());
    let wanted: Vec<CountryCode> = countries.iter().copied().collect();
    let removed = context.db.write_here(move |tx| {
        let mut removed = Vec::new();
        for country in wanted {
            if store::remove_pack(tx.conn, country.as_str(), level.number())? {
                removed.push(country);
            }
        }
        let codes: Vec<&str> = removed.iter().map(CountryCode::as_str).collect();
        let detail = format!("removed {} {}", level.number(), codes.join(" "));
        tx.record(Entry::new(Act::ChangedPacks, id, now).detail(detail));
        Ok(removed)
    })?;
    context.refresh_packs()?;
    Ok(removed)
}

/// Reads and weighs a file without storing anything.
///
/// # Errors
/// [`Refusal`].
pub fn read(
    file: impl Read,
    geo: &Geo,
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize),
) -> Result<(Vec<Pack>, ImportReport), Refusal> {
    let mut reading = Reading::new(geo, options);
    let name = read_features(file, &mut |feature| {
        progress(feature.number);
        reading.take(feature)
    })?;
    reading.finish(name.as_deref())
}

/// A file as far as it has been read.
struct Reading<'a> {
    geo: &'a Geo,
    options: &'a ImportOptions,
    level: Option<Level>,
    source: Option<&'static str>,
    year: Option<i64>,
    n_features: usize,
    n_skipped: usize,
    n_positions: usize,
    drafts: Vec<Draft>,
}

impl<'a> Reading<'a> {
    fn new(geo: &'a Geo, options: &'a ImportOptions) -> Self {
        Self {
            geo,
            options,
            level: options.level,
            source: None,
            year: None,
            n_features: 0,
            n_skipped: 0,
            n_positions: 0,
            drafts: Vec::new(),
        }
    }

    fn take(&mut self, feature: Feature) -> Result<(), Refusal> {
        let number = feature.number;
        self.n_features = number;
        let words = Words::of(&feature.properties);
        let level = self.settle_level(number, &words)?;
        self.source = self.source.or_else(|| words.find_source());
        self.year = self.year.max(words.find_year());
        let codes = words.codes(level, feature.id.as_ref());
        let inside = point_inside(&feature.shape);
        let Some(country) = self.settle_country(number, &words, &codes, inside)? else {
            self.n_skipped += 1;
            return Ok(());
        };
        self.n_positions += feature.shape.coords_count();
        if self.n_positions > MAX_POSITIONS {
            return Err(Refusal::TooFine { limit: MAX_POSITIONS });
        }
        let names = words.names(level);
        let shape = feature.shape;
        self.drafts.push(Draft { number, country, codes, names, shape, inside });
        Ok(())
    }

    fn settle_level(&mut self, feature: usize, words: &Words) -> Result<Level, Refusal> {
        let found = words.find_level();
        let level = match (self.level, found) {
            (Some(level), _) => level,
            (None, None) => return Err(Refusal::LevelUnknown),
            (None, Some(found)) => {
                Level::parse(found).ok_or(Refusal::Level { feature, found, level: 1 })?
            }
        };
        self.level = Some(level);
        match found {
            Some(found) if found != i64::from(level.number()) => {
                Err(Refusal::Level { feature, found, level: level.number().into() })
            }
            Some(_) | None => Ok(level),
        }
    }

    /// Returns the country of a feature; `None` where it is not to be imported.
    fn settle_country(
        &self,
        feature: usize,
        words: &Words,
        codes: &Codes,
        inside: Option<LonLat>,
    ) -> Result<Option<CountryCode>, Refusal> {
        let only = &self.options.only;
        let found = match words.find_country(feature, codes, self.geo.countries()) {
            Named::Ours(country) => Ok(country),
            Named::Other(refusal) => Err(refusal),
            Named::Nowhere => self.country_there(feature, inside),
        };
        match found {
            Ok(country) => Ok(Some(country).filter(|_| only.is_empty() || only.contains(&country))),
            Err(_) if !only.is_empty() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Returns the country of ours that a feature without one lies in.
    fn country_there(
        &self,
        feature: usize,
        inside: Option<LonLat>,
    ) -> Result<CountryCode, Refusal> {
        let at = |point: LonLat| self.geo.boundaries().country_at(point);
        let is_ours = |country: &CountryCode| self.geo.countries().get(*country).is_some();
        let there = inside.and_then(at);
        if let Some(country) = there.filter(is_ours) {
            return Ok(country);
        }
        let swapped = inside.and_then(LonLat::swapped).and_then(at).filter(is_ours);
        Err(match swapped {
            Some(country) => Refusal::Axes { n_swapped: 1, n_areas: 1, feature, country },
            None => Refusal::NoCountry { feature, found: told(there) },
        })
    }

    fn finish(self, name: Option<&str>) -> Result<(Vec<Pack>, ImportReport), Refusal> {
        let Some(level) = self.level.filter(|_| !self.drafts.is_empty()) else {
            let skipped = if self.n_skipped > 0 { " of these countries" } else { "" };
            return Err(Refusal::NoFeatures { skipped });
        };
        let source = self.provenance(name)?;
        let areas = identify(self.drafts, level, self.geo)?;
        check_places(&areas, self.geo)?;
        let (packs, areas) = sort_into_packs(areas, level, &source);
        let drawn = Areas::none().with_packs(packs.clone());
        let countries = survey(&areas, &drawn, level, self.geo)?;
        let report = ImportReport {
            level: level.number(),
            source: source.name.as_ref().to_owned(),
            year: source.year,
            n_features: self.n_features,
            n_skipped: self.n_skipped,
            n_bytes: 0,
            countries,
        };
        Ok((packs, report))
    }

    fn provenance(&self, name: Option<&str>) -> Result<PackSource, Refusal> {
        let by_name = name.filter(|name| name.contains("admbnda")).map(|_| "OCHA COD-AB");
        let source = self.options.source.clone().filter(|source| !source.trim().is_empty());
        let source = source.or_else(|| self.source.or(by_name).map(str::to_owned));
        let missing = |what, option| Refusal::Provenance { what, option };
        let source = source.ok_or_else(|| missing("where it comes from", "--source NAME"))?;
        let year = self.options.year.or(self.year);
        let year = year.ok_or_else(|| missing("which year its areas are of", "--year YYYY"))?;
        let checked = u16::try_from(year).ok().filter(|year| (1900..=2100).contains(year));
        let licence = self.options.licence.clone().unwrap_or_default();
        Ok(PackSource {
            name: source.trim().into(),
            year: checked.ok_or(Refusal::Year { year })?,
            licence: licence.into(),
            is_outdated: false,
        })
    }
}

/// Returns a point inside, the nearest to the middle that the grid over the bounding box has.
fn point_inside(shape: &MultiPolygon) -> Option<LonLat> {
    let middle = shape.bounding_rect()?.center();
    let off = |point: &LonLat| (point.lon() - middle.x).hypot(point.lat() - middle.y);
    let mut points: Vec<LonLat> = probes(shape).collect();
    points.sort_by(|a, b| off(a).total_cmp(&off(b)));
    let is_inside = |point: &LonLat| shape.contains(&geo::Point::new(point.lon(), point.lat()));
    points.into_iter().find(is_inside)
}

/// Moves the areas into one pack a country; what is said of them stays behind, without the shapes.
fn sort_into_packs(
    areas: Vec<Matched>,
    level: Level,
    source: &PackSource,
) -> (Vec<Pack>, Vec<Matched>) {
    let mut by_country: BTreeMap<CountryCode, Vec<(Area, MultiPolygon)>> = BTreeMap::new();
    let mut said = Vec::new();
    for mut matched in areas {
        let shape = std::mem::replace(&mut matched.shape, MultiPolygon(Vec::new()));
        by_country.entry(matched.area.country).or_default().push((matched.area.clone(), shape));
        said.push(matched);
    }
    let pack = |(country, areas)| Pack { level, country, source: source.clone(), areas };
    (by_country.into_iter().map(pack).collect(), said)
}

/// Takes the SHA-256 of a file on the way.
struct Hashing {
    file: std::fs::File,
    hash: Sha256,
}

impl Hashing {
    /// Reads what is left and returns the digest of the whole file.
    fn finish(mut self) -> Result<Vec<u8>, Refusal> {
        std::io::copy(&mut self, &mut std::io::sink())?;
        Ok(self.hash.finalize().to_vec())
    }
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.file.read(buffer)?;
        self.hash.update(buffer.get(..n_read).unwrap_or_default());
        Ok(n_read)
    }
}
