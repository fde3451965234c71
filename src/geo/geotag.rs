//! What a sender claims about a place, and what it becomes: the types. `weigh.rs` has the rules.

use chrono_tz::Tz;
use thiserror::Error;

use crate::geo::areas::{AreaId, PackSource};
use crate::geo::cells::Cell;
use crate::geo::countries::CountryCode;
use crate::geo::gazetteer::Place;
use crate::geo::locate::NearSite;
use crate::geo::lonlat::LonLat;
use crate::geo::sites::SiteId;

/// The place of a report as its sender gave it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claim {
    /// The country the sender names. A device's home country is no declaration.
    pub country: Option<CountryCode>,
    /// The area the sender names, with or without a shape.
    pub admin1: Option<AreaId>,
    /// The known site the sender names.
    pub site: Option<SiteId>,
    /// The point the sender gives.
    pub point: Option<LonLat>,
    /// The place in the sender's words.
    pub place: Option<String>,
}

/// Reasons why a claim cannot become a geotag; the sender can mend each of them.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ClaimError {
    /// The point is outside the declared country, and inside it with longitude and latitude
    /// exchanged.
    #[error(
        "longitude and latitude look exchanged: the point lies in {declared} only the other way round"
    )]
    Swapped {
        /// The pair to offer to the sender; never stored by itself.
        corrected: LonLat,
        /// The country that the sender declares.
        declared: CountryCode,
    },
    /// No country of ours is declared, and none follows from the point, area or site.
    #[error("the country is unknown")]
    CountryUnknown {
        /// The country that the point lies in, if it lies in any.
        computed: Option<CountryCode>,
    },
    /// No country follows from the claim but from the name of the place, and there are several such places.
    #[error("the place is in one of several countries")]
    PlaceAmbiguous {
        /// The places of this name, to be offered to the sender.
        candidates: Vec<Place>,
    },
    /// No area has this id.
    #[error("area {admin1} is unknown")]
    Admin1Unknown {
        /// The declared area.
        admin1: AreaId,
    },
    /// The declared area belongs to another country than the declared one.
    #[error("area {admin1} is in {admin1_country}, not in {country}")]
    Admin1OutsideCountry {
        /// The declared area.
        admin1: AreaId,
        /// The country of the area.
        admin1_country: CountryCode,
        /// The declared country.
        country: CountryCode,
    },
    /// No site has this id.
    #[error("site {site} is unknown")]
    SiteUnknown {
        /// The declared site.
        site: SiteId,
    },
    /// The declared site belongs to another country than the declared one.
    #[error("site {site} is in {site_country}, not in {country}")]
    SiteOutsideCountry {
        /// The declared site.
        site: SiteId,
        /// The country of the site.
        site_country: CountryCode,
        /// The declared country.
        country: CountryCode,
    },
}

/// The place of a report as we understand it.
#[derive(Debug, Clone, PartialEq)]
pub struct Geotag {
    /// The declared country, or the one of the point, area or site when none is declared.
    pub country: CountryCode,
    /// The point as sent, unless it was 0,0; for the answer to the sender only.
    pub point: Option<LonLat>,
    /// The country that the point lies in; it may differ, and may be one we do not work for.
    pub country_computed: Option<CountryCode>,
    /// The area of the point, see [`Geo::area_today`](crate::geo::locate::Geo::area_today); without a point, the
    /// declared one.
    pub admin1: Option<AreaId>,
    /// The area that the sender names.
    pub admin1_declared: Option<AreaId>,
    /// The second-level area of the point, where a pack with such areas is imported.
    pub admin2: Option<AreaId>,
    /// The zone of the place, where the place is known well enough to have one.
    pub zone: Option<Tz>,
    /// Whether the caller had to assume the zone, see [`Geotag::assume_zone`].
    pub zone_is_assumed: bool,
    /// Cell of resolution 7; present only for precision `exact`, `mine_site` and `town`.
    pub cell7: Option<Cell>,
    /// Its parent of resolution 5.
    pub cell5: Option<Cell>,
    /// The generalised place, present when `cell5` is.
    pub place: Option<LonLat>,
    /// How well the place is known.
    pub precision: Precision,
    /// Metres to the nearest other country, when below 5 km.
    pub near_border_m: Option<u32>,
    /// Up to 3 known sites within 50 km, nearest first.
    pub sites: Vec<NearSite>,
    /// The declared site, else the nearest within 5 km.
    pub site: Option<SiteId>,
    /// Distance band to `site`, else to the nearest site.
    pub site_distance: Option<SiteDistance>,
    /// The place that the sender's words were understood as; as confidential as the words.
    pub matched: Option<Place>,
    /// What the words may mean where they may mean several places, the largest first; as confidential as the words.
    pub candidates: Vec<Place>,
    /// What a reviewer should look at; each at most once.
    pub flags: Vec<Flag>,
    /// Where the shapes of the country's areas come from, and whether they are outdated.
    pub source: PackSource,
    /// Where `admin2` comes from, present when it is.
    pub admin2_source: Option<PackSource>,
}

impl Geotag {
    /// Returns source and year of the boundaries behind the areas, to be stored with them; `None` without an area.
    ///
    /// # Examples
    /// `Natural Earth 10m admin-1 2022`; with a second level `OCHA COD-AB 2024; admin2: OCHA COD-AB 2024`.
    pub fn boundary_source(&self) -> Option<String> {
        let admin1 = self.admin1.as_ref().map(|_| self.source.to_string());
        let admin2 = self.admin2_source.as_ref().map(|source| format!("admin2: {source}"));
        let sources: Vec<String> = admin1.into_iter().chain(admin2).collect();
        (!sources.is_empty()).then(|| sources.join("; "))
    }

    /// Says whether the place has a cell, and so can be drawn on a map.
    pub fn is_mapped(&self) -> bool {
        self.cell5.is_some()
    }

    /// Sets a zone that does not follow from the place and flags it.
    ///
    /// For a time in `Z` without a zone the caller assumes the country's first,
    /// `Country::first_zone`.
    pub fn assume_zone(&mut self, zone: Tz) {
        self.zone = Some(zone);
        self.zone_is_assumed = true;
        self.raise(Flag::ZoneAssumed);
    }

    /// Adds a flag unless it is there.
    pub fn raise(&mut self, flag: Flag) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }
}

/// How well a place is known, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// A point from a device or a map.
    Exact,
    /// A known site.
    MineSite,
    /// A town or village.
    Town,
    /// A second-level area.
    Admin2,
    /// A first-level area.
    Admin1,
    /// The country only.
    Country,
    /// Nothing; set by channels that must accept a report whose location is unusable.
    None,
}

impl Precision {
    /// All values, best first.
    pub const ALL: [Precision; 7] = [
        Precision::Exact,
        Precision::MineSite,
        Precision::Town,
        Precision::Admin2,
        Precision::Admin1,
        Precision::Country,
        Precision::None,
    ];

    /// Returns the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Precision::Exact => "exact",
            Precision::MineSite => "mine_site",
            Precision::Town => "town",
            Precision::Admin2 => "admin2",
            Precision::Admin1 => "admin1",
            Precision::Country => "country",
            Precision::None => "none",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Precision> {
        Precision::ALL.into_iter().find(|precision| precision.as_str() == code)
    }
}

/// What a reviewer should look at. That a pack is outdated is no flag but stands in [`PackSource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// The point is 0,0 and was set aside.
    NullIsland,
    /// The point lies in another country than declared.
    CountryMismatch,
    /// The point is at sea: in no country, or more than 5 km from all areas of its country.
    OffLand,
    /// Another country is less than 5 km away.
    NearBorder,
    /// The point lies in another area than declared.
    Admin1Mismatch,
    /// The site's own point stands for an area or is unverified.
    SiteImprecise,
    /// The point is more than 50 km from the declared site.
    SiteFar,
    /// The point may lie in a neighbouring area of today: only the shape of their former whole is known.
    Admin1Unsure,
    /// A place is named but nothing finer than an area is known.
    PlaceUnresolved,
    /// The name of the place has several meanings, and none was chosen.
    PlaceAmbiguous,
    /// The point is more than 50 km from the named place.
    PlaceFar,
    /// The zone is an assumption.
    ZoneAssumed,
}

impl Flag {
    /// All values.
    pub const ALL: [Flag; 12] = [
        Flag::NullIsland,
        Flag::CountryMismatch,
        Flag::OffLand,
        Flag::NearBorder,
        Flag::Admin1Mismatch,
        Flag::SiteImprecise,
        Flag::SiteFar,
        Flag::Admin1Unsure,
        Flag::PlaceUnresolved,
        Flag::PlaceAmbiguous,
        Flag::PlaceFar,
        Flag::ZoneAssumed,
    ];

    /// Returns the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::NullIsland => "null_island",
            Flag::CountryMismatch => "country_mismatch",
            Flag::OffLand => "off_land",
            Flag::NearBorder => "near_border",
            Flag::Admin1Mismatch => "admin1_mismatch",
            Flag::SiteImprecise => "site_imprecise",
            Flag::SiteFar => "site_far",
            Flag::Admin1Unsure => "admin1_unsure",
            Flag::PlaceUnresolved => "place_unresolved",
            Flag::PlaceAmbiguous => "place_ambiguous",
            Flag::PlaceFar => "place_far",
            Flag::ZoneAssumed => "zone_assumed",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Flag> {
        Flag::ALL.into_iter().find(|flag| flag.as_str() == code)
    }
}

/// Distance to a known site in bands, coarse enough to be no place. Lower ends are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteDistance {
    /// Below 1 km.
    Under1Km,
    /// 1 to 5 km.
    From1To5Km,
    /// 5 to 20 km.
    From5To20Km,
    /// 20 to 50 km.
    From20To50Km,
    /// 50 km or more.
    Over50Km,
}

impl SiteDistance {
    /// All values, nearest first.
    pub const ALL: [SiteDistance; 5] = [
        SiteDistance::Under1Km,
        SiteDistance::From1To5Km,
        SiteDistance::From5To20Km,
        SiteDistance::From20To50Km,
        SiteDistance::Over50Km,
    ];

    /// Returns the band of a distance in metres.
    pub fn of_metres(distance_m: u32) -> SiteDistance {
        match distance_m {
            0..1_000 => SiteDistance::Under1Km,
            1_000..5_000 => SiteDistance::From1To5Km,
            5_000..20_000 => SiteDistance::From5To20Km,
            20_000..50_000 => SiteDistance::From20To50Km,
            50_000.. => SiteDistance::Over50Km,
        }
    }

    /// Returns the code.
    pub fn as_str(self) -> &'static str {
        match self {
            SiteDistance::Under1Km => "under_1km",
            SiteDistance::From1To5Km => "1_5km",
            SiteDistance::From5To20Km => "5_20km",
            SiteDistance::From20To50Km => "20_50km",
            SiteDistance::Over50Km => "over_50km",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<SiteDistance> {
        SiteDistance::ALL.into_iter().find(|band| band.as_str() == code)
    }
}

#[cfg(test)]
mod tests {
    use crate::geo::geotag::{Flag, Precision, SiteDistance};

    #[test]
    fn every_code_is_read_back() {
        for precision in Precision::ALL {
            assert_eq!(Precision::parse(precision.as_str()), Some(precision));
        }
        for flag in Flag::ALL {
            assert_eq!(Flag::parse(flag.as_str()), Some(flag));
        }
        for band in SiteDistance::ALL {
            assert_eq!(SiteDistance::parse(band.as_str()), Some(band));
        }
        assert_eq!(Precision::parse("Exact"), None);
    }

    #[test]
    fn a_band_begins_at_its_lower_end() {
        let codes = [0, 999, 1_000, 4_999, 5_000, 20_000, 50_000]
            .map(|distance_m| SiteDistance::of_metres(distance_m).as_str());

        assert_eq!(
            codes,
            ["under_1km", "under_1km", "1_5km", "1_5km", "5_20km", "20_50km", "over_50km"]
        );
    }
}
