//! The rules by which a [`Claim`] becomes a [`Geotag`].
//!
//! Nothing is repaired silently. What the sender declares wins as the record's country and the
//! point's country stands beside it; a pair that only fits with its axes exchanged is refused with
//! the corrected pair; a lost minus sign looks like any other point in the wrong country and is
//! flagged.

use crate::geo::areas::{Area, AreaId};
use crate::geo::countries::CountryCode;
use crate::geo::gazetteer::{Found, Place, PlaceKind, Within};
use crate::geo::geotag::{Claim, ClaimError, Flag, Geotag, Precision, SiteDistance};
use crate::geo::locate::{Geo, Location, NEARBY_SITE_M};
use crate::geo::lonlat::{LonLat, whole_metres};
use crate::geo::sites::Site;

/// A report with a point belongs to the nearest site up to this distance, in metres.
const OWN_SITE_M: u32 = 5_000;

/// A point further than this from the place that is named beside it is flagged, in metres.
const PLACE_FAR_M: f64 = 50_000.0;

/// What the sender declares, looked up.
#[derive(Clone, Copy)]
struct Declared<'a> {
    country: Option<CountryCode>,
    admin1: Option<&'a Area>,
    site: Option<&'a Site>,
}

impl Geo {
    /// Weighs a claim against what is known.
    ///
    /// A declared area or site declares its country too. The point 0,0 counts as no point. A named place decides where
    /// there is neither point nor site.
    ///
    /// # Errors
    /// [`ClaimError::CountryUnknown`] when no country of ours follows from the claim; the other
    /// kinds when the parts of the claim contradict each other in a way the sender can mend.
    pub fn geotag(&self, claim: &Claim) -> Result<Geotag, ClaimError> {
        let declared = self.read_declared(claim)?;
        let point = claim.point.filter(|point| !point.is_null_island());
        let found = claim.place.as_ref().map(|text| self.read_place(&declared, point, text));
        let mut tag = match (point, declared.site) {
            (Some(point), _) => self.tag_point(&declared, point)?,
            (None, Some(site)) => self.tag_site(site.country, &declared, site),
            (None, None) => self.tag_found(&declared, found.as_ref().unwrap_or(&Found::Nothing))?,
        };
        if claim.point.is_some() && point.is_none() {
            tag.raise(Flag::NullIsland);
        }
        if let Some(found) = found {
            note_place(&mut tag, point, found);
        }
        Ok(tag)
    }

    /// Looks for the place in the declared country, else in that of the point, else everywhere.
    fn read_place(&self, declared: &Declared<'_>, point: Option<LonLat>, text: &str) -> Found<'_> {
        let of_point = || point.and_then(|point| self.boundaries().country_at(point));
        let country = declared.country.or_else(of_point);
        self.find_place(text, Within { country, area: declared.admin1 })
    }

    fn read_declared(&self, claim: &Claim) -> Result<Declared<'_>, ClaimError> {
        let admin1 = match &claim.admin1 {
            Some(id) => Some(
                self.areas()
                    .get(id)
                    .ok_or_else(|| ClaimError::Admin1Unknown { admin1: id.clone() })?,
            ),
            None => None,
        };
        let site = match &claim.site {
            Some(id) => Some(
                self.sites()
                    .find(id.as_str())
                    .ok_or_else(|| ClaimError::SiteUnknown { site: id.clone() })?,
            ),
            None => None,
        };
        let country =
            claim.country.or(admin1.map(|area| area.country)).or(site.map(|site| site.country));
        let declared = Declared { country, admin1, site };
        self.check_country(&declared, claim)?;
        Ok(declared)
    }

    /// Checks that the declared country is one of ours and that the declared area and site lie in
    /// it.
    fn check_country(&self, declared: &Declared<'_>, claim: &Claim) -> Result<(), ClaimError> {
        let Some(country) = declared.country else {
            return Ok(());
        };
        if self.countries().get(country).is_none() {
            let computed = claim.point.and_then(|point| self.boundaries().country_at(point));
            return Err(ClaimError::CountryUnknown { computed });
        }
        if let Some(area) = declared.admin1.filter(|area| area.country != country) {
            return Err(ClaimError::Admin1OutsideCountry {
                admin1: area.id.clone(),
                admin1_country: area.country,
                country,
            });
        }
        if let Some(site) = declared.site.filter(|site| site.country != country) {
            return Err(ClaimError::SiteOutsideCountry {
                site: site.id.clone(),
                site_country: site.country,
                country,
            });
        }
        Ok(())
    }

    fn tag_point(&self, declared: &Declared<'_>, point: LonLat) -> Result<Geotag, ClaimError> {
        let location = self.locate(point);
        let computed = location.country;
        let ours = computed.filter(|code| self.countries().get(*code).is_some());
        let country = declared.country.or(ours).ok_or(ClaimError::CountryUnknown { computed })?;
        if computed != Some(country) {
            self.check_axes(point, country)?;
        }
        let mut tag = self.fill(country, declared, location, Precision::Exact);
        if declared.site.is_none() {
            tag.site = tag
                .sites
                .first()
                .filter(|near| near.distance_m <= OWN_SITE_M)
                .map(|near| near.id.clone());
        }
        tag.point = Some(point);
        tag.site_distance = Some(site_distance(declared, &tag, point));
        self.flag_site(&mut tag);
        if declared.site.is_some_and(|site| site.point.distance_m(point) > NEARBY_SITE_M) {
            tag.raise(Flag::SiteFar);
        }
        Ok(tag)
    }

    /// Refuses a point outside the country that is inside with its axes exchanged.
    fn check_axes(&self, point: LonLat, declared: CountryCode) -> Result<(), ClaimError> {
        match point.swapped() {
            Some(corrected) if self.boundaries().is_in(corrected, declared) => {
                Err(ClaimError::Swapped { corrected, declared })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn tag_site(&self, country: CountryCode, declared: &Declared<'_>, site: &Site) -> Geotag {
        let location = self.locate(site.point);
        if site.precision.is_a_place() {
            let mut tag = self.fill(country, declared, location, Precision::MineSite);
            tag.site_distance = Some(SiteDistance::Under1Km);
            return tag;
        }
        // The point of such a site says no more than the area, and less than the sender.
        let area = location.admin1.and_then(|id| self.areas().get(&id));
        let mut tag = self.tag_area(country, declared, declared.admin1.or(area));
        self.flag_site(&mut tag);
        tag
    }

    fn tag_found(&self, declared: &Declared<'_>, found: &Found<'_>) -> Result<Geotag, ClaimError> {
        match (found, declared.country) {
            (Found::One(place), country) => {
                Ok(self.tag_place(country.unwrap_or(place.country), declared, place))
            }
            (Found::Several(_) | Found::Nothing, Some(country)) => {
                Ok(self.tag_area(country, declared, declared.admin1))
            }
            (Found::Several(places), None) => {
                let candidates = places.iter().copied().cloned().collect();
                Err(ClaimError::PlaceAmbiguous { candidates })
            }
            (Found::Nothing, None) => Err(ClaimError::CountryUnknown { computed: None }),
        }
    }

    fn tag_place(&self, country: CountryCode, declared: &Declared<'_>, place: &Place) -> Geotag {
        match (&place.kind, place.point) {
            (PlaceKind::Town, Some(point)) => {
                let location = self.locate_town(place, point);
                self.fill(country, declared, location, Precision::Town)
            }
            (PlaceKind::Site(id), _) => {
                let site = self.sites().find(id.as_str());
                let declared = Declared { site, ..*declared };
                match site {
                    Some(site) => self.tag_site(country, &declared, site),
                    None => self.tag_area(country, &declared, declared.admin1),
                }
            }
            (PlaceKind::Area(id), _) => {
                self.tag_area(country, declared, declared.admin1.or(self.areas().get(id)))
            }
            (PlaceKind::Town, None) => self.tag_area(country, declared, declared.admin1),
        }
    }

    /// Says what is known about the point of a town. Where the borders or shapes say otherwise, the gazetteer is right
    /// about its own towns.
    fn locate_town(&self, town: &Place, point: LonLat) -> Location {
        let mut location = self.locate(point);
        let is_at_home = location.country == Some(town.country);
        location.country = Some(town.country);
        location.admin1 = location.admin1.filter(|_| is_at_home);
        location.is_off_land &= is_at_home;
        if let Some(area) = town.area.as_ref().and_then(|id| self.areas().get(id)) {
            location.admin1 = Some(area.id.clone());
            location.zone = Some(area.zone);
            location.is_admin1_unsure = false;
        }
        location
    }

    /// Fills in everything that follows from a point.
    fn fill(
        &self,
        country: CountryCode,
        declared: &Declared<'_>,
        location: Location,
        precision: Precision,
    ) -> Geotag {
        let is_mismatch = location.country.is_some_and(|computed| computed != country);
        let told = declared.admin1.filter(|area| self.is_in_doubt(area, &location));
        let is_unsure = location.is_admin1_unsure && told.is_none();
        let of_point = location.admin1.as_ref().and_then(|id| self.areas().get(id));
        let computed = told.or(of_point).filter(|_| !is_mismatch);
        let is_other_area = match (declared.admin1, computed) {
            (Some(area), Some(computed)) => !area.overlaps(computed),
            (Some(_), None) | (None, _) => false,
        };
        let flags = [
            (Flag::CountryMismatch, is_mismatch),
            (Flag::OffLand, location.is_off_land),
            (Flag::NearBorder, location.near_border_m.is_some()),
            (Flag::Admin1Mismatch, is_other_area),
            (Flag::Admin1Unsure, is_unsure && !is_mismatch),
        ];
        let place = location.cell5.and_then(|cell| self.generalise(cell, location.country));
        Geotag {
            country_computed: location.country,
            admin2: location.admin2.filter(|_| !is_mismatch),
            admin2_source: location.admin2_source.filter(|_| !is_mismatch),
            admin1: computed.or(declared.admin1).map(|area| area.id.clone()),
            zone: location.zone.or(declared.admin1.map(|area| area.zone)),
            cell7: location.cell7,
            cell5: location.cell5,
            place,
            precision,
            near_border_m: location.near_border_m,
            sites: location.sites,
            flags: flags
                .into_iter()
                .filter(|(_, is_raised)| *is_raised)
                .map(|(flag, _)| flag)
                .collect(),
            source: if is_mismatch { self.areas().source(Some(country)) } else { location.source },
            ..self.tag_area(country, declared, None)
        }
    }

    /// Says whether the point may be in this declared area, but may be in a sister of it: then the sender knows better.
    fn is_in_doubt(&self, declared: &Area, location: &Location) -> bool {
        location.is_admin1_unsure
            && location.admin1_drawn.as_ref().is_some_and(|drawn| {
                self.areas().cut_from(drawn).any(|sister| sister.id == declared.id)
            })
    }

    /// Fills in what is known without a point.
    fn tag_area(
        &self,
        country: CountryCode,
        declared: &Declared<'_>,
        area: Option<&Area>,
    ) -> Geotag {
        let id = |area: &Area| -> AreaId { area.id.clone() };
        Geotag {
            country,
            point: None,
            country_computed: None,
            admin1: area.map(id),
            admin1_declared: declared.admin1.map(id),
            admin2: None,
            zone: area.map(|area| area.zone),
            zone_is_assumed: false,
            cell7: None,
            cell5: None,
            place: None,
            precision: if area.is_some() { Precision::Admin1 } else { Precision::Country },
            near_border_m: None,
            sites: Vec::new(),
            site: declared.site.map(|site| site.id.clone()),
            site_distance: None,
            matched: None,
            candidates: Vec::new(),
            flags: Vec::new(),
            source: self.areas().source(Some(country)),
            admin2_source: None,
        }
    }

    fn flag_site(&self, tag: &mut Geotag) {
        let site = tag.site.as_ref().and_then(|id| self.sites().find(id.as_str()));
        if site.is_some_and(|site| !site.precision.is_a_place()) {
            tag.raise(Flag::SiteImprecise);
        }
    }
}

/// Notes what the words of the sender were understood as.
fn note_place(tag: &mut Geotag, point: Option<LonLat>, found: Found<'_>) {
    match found {
        Found::One(place) => {
            let is_far = point
                .zip(place.point)
                .is_some_and(|(point, named)| point.distance_m(named) > PLACE_FAR_M);
            if is_far {
                tag.raise(Flag::PlaceFar);
            }
            tag.matched = Some(place.clone());
        }
        Found::Several(places) if !tag.is_mapped() => {
            tag.raise(Flag::PlaceAmbiguous);
            tag.candidates = places.into_iter().cloned().collect();
        }
        Found::Nothing if !tag.is_mapped() => tag.raise(Flag::PlaceUnresolved),
        Found::Several(_) | Found::Nothing => {}
    }
}

/// Returns the band to the declared site, else to the nearest one.
fn site_distance(declared: &Declared<'_>, tag: &Geotag, point: LonLat) -> SiteDistance {
    match (declared.site, tag.sites.first()) {
        (Some(site), _) => SiteDistance::of_metres(whole_metres(site.point.distance_m(point))),
        (None, Some(near)) => SiteDistance::of_metres(near.distance_m),
        (None, None) => SiteDistance::Over50Km,
    }
}
