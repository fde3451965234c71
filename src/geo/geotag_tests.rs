//! The cases C20, C21, C25, C27 and the other rules of a claim.

use chrono_tz::Africa;

use crate::geo::areas::AreaId;
use crate::geo::gazetteer::{Found, PlaceKind, Within};
use crate::geo::geotag::{Claim, ClaimError, Flag, Geotag, Precision, SiteDistance};
use crate::geo::locate_tests::{at, code, geo};
use crate::geo::sites::{SiteId, SitePrecision};

fn claim(country: &str, lat: f64, lon: f64) -> Claim {
    Claim { country: Some(code(country)), point: Some(at(lat, lon)), ..Claim::default() }
}

fn tag(claim: &Claim) -> Geotag {
    geo().geotag(claim).unwrap()
}

fn area(id: &str) -> AreaId {
    AreaId::parse(id).unwrap()
}

#[test]
fn c20_exchanged_axes_are_refused_with_the_corrected_pair() {
    let refused = geo().geotag(&claim("COD", 23.5898, -6.1360));

    assert_eq!(
        refused,
        Err(ClaimError::Swapped { corrected: at(-6.1360, 23.5898), declared: code("COD") })
    );
    assert!(!refused.unwrap_err().to_string().contains("23.5"), "no coordinates in messages");
}

#[test]
fn exchanged_axes_that_end_at_sea_are_refused_too() {
    let refused = geo().geotag(&claim("SLE", -10.9714, 8.6439));

    assert!(
        matches!(refused, Err(ClaimError::Swapped { corrected, .. }) if corrected == at(8.6439, -10.9714))
    );
}

#[test]
fn c21_a_lost_minus_sign_is_a_mismatch_and_nothing_is_repaired() {
    for (declared, lat, lon, computed) in
        [("COD", 6.4162, 20.8, "CAF"), ("SLE", 8.644, 10.971, "NGA")]
    {
        let tag = tag(&claim(declared, lat, lon));

        assert_eq!(tag.country, code(declared));
        assert_eq!(tag.country_computed, Some(code(computed)));
        assert!(tag.flags.contains(&Flag::CountryMismatch));
        assert_eq!(tag.admin1, None);
        assert_eq!(tag.precision, Precision::Exact);
        assert!(tag.is_mapped());
    }
}

#[test]
fn c25_zero_zero_is_no_location() {
    let mut at_zero = claim("SLE", 0.0, 0.0);

    let tag = tag(&at_zero);

    assert_eq!((tag.country, tag.country_computed), (code("SLE"), None));
    assert_eq!(tag.flags, [Flag::NullIsland]);
    assert_eq!(tag.precision, Precision::Country);
    assert!(!tag.is_mapped() && tag.place.is_none() && tag.sites.is_empty());
    at_zero.country = None;
    assert_eq!(geo().geotag(&at_zero), Err(ClaimError::CountryUnknown { computed: None }));
}

#[test]
fn c27_pilanesberg_is_not_in_botswana() {
    let tag = tag(&claim("BWA", -25.3, 27.1));

    assert_eq!(tag.country_computed, Some(code("ZAF")));
    assert!(tag.flags.contains(&Flag::CountryMismatch));
    assert!(!geo().countries().get(code("ZAF")).unwrap().is_member);
}

#[test]
fn c27_both_banks_of_the_oubangui_are_right_and_flagged() {
    for (country, lat, lon) in [("CAF", 4.3612, 18.5550), ("COD", 4.3470, 18.5990)] {
        let tag = tag(&claim(country, lat, lon));

        assert_eq!(tag.flags, [Flag::NearBorder], "{country}");
        assert!(geo().boundaries().is_in(tag.place.unwrap(), code(country)));
    }
}

#[test]
fn without_a_declaration_the_country_of_the_point_counts() {
    let tag = tag(&Claim { point: Some(at(8.6439, -10.9714)), ..Claim::default() });

    assert_eq!((tag.country, tag.country_computed), (code("SLE"), Some(code("SLE"))));
    assert_eq!((tag.admin1, tag.admin1_declared), (Some(area("SL-E")), None));
    assert_eq!(tag.zone, Some(Africa::Freetown));
    assert!(tag.flags.is_empty());
}

#[test]
fn a_point_in_a_country_that_is_not_ours_needs_a_declaration() {
    let undeclared = Claim { point: Some(at(8.644, 10.971)), ..Claim::default() };

    let refused = ClaimError::CountryUnknown { computed: Some(code("NGA")) };

    assert_eq!(geo().geotag(&undeclared), Err(refused.clone()));
    assert_eq!(geo().geotag(&claim("NGA", 8.644, 10.971)), Err(refused));
    assert_eq!(geo().geotag(&Claim::default()), Err(ClaimError::CountryUnknown { computed: None }));
}

#[test]
fn a_point_at_sea_keeps_its_country_and_is_flagged() {
    for (place, lat, lon, computed) in [
        ("territorial sea off Cape Palmas", 4.3, -7.6, Some(code("LBR"))),
        ("high sea", 2.0, -12.0, None),
    ] {
        let tag = tag(&claim("LBR", lat, lon));

        assert_eq!((tag.country, tag.country_computed), (code("LBR"), computed), "{place}");
        assert_eq!(tag.flags, [Flag::OffLand], "{place}");
        assert_eq!(tag.admin1, None, "{place}");
    }
}

#[test]
fn a_declared_area_beside_a_point_is_compared_and_kept() {
    let mut mine = claim("SLE", 8.6439, -10.9714);
    mine.admin1 = Some(area("SL-S"));

    let tag = tag(&mine);

    assert_eq!((tag.admin1, tag.admin1_declared), (Some(area("SL-E")), Some(area("SL-S"))));
    assert_eq!(tag.flags, [Flag::Admin1Mismatch]);
}

#[test]
fn a_current_province_agrees_with_the_former_one_of_the_point() {
    let mut tshikapa = claim("COD", -6.416, 20.8);
    tshikapa.admin1 = Some(area("COD-1872"));

    let tag = tag(&tshikapa);

    assert_eq!((tag.admin1, tag.admin1_declared), (Some(area("CD-KS")), Some(area("COD-1872"))));
    assert!(!tag.flags.contains(&Flag::Admin1Mismatch));
    assert_eq!(&*tag.source.name, "Natural Earth 10m admin-1 + GeoNames towns");
    assert!(tag.source.is_outdated);
}

#[test]
fn between_two_provinces_of_today_the_sender_knows_better() {
    let between = claim("COD", -6.15, 21.6);
    let undeclared = tag(&between);
    assert_eq!(undeclared.flags, [Flag::Admin1Unsure], "{:?}", undeclared.admin1);

    for id in ["CD-KS", "CD-KC"] {
        let told = tag(&Claim { admin1: Some(area(id)), ..between.clone() });

        assert_eq!((told.admin1, told.flags.as_slice()), (Some(area(id)), [].as_slice()));
    }
    let other = tag(&Claim { admin1: Some(area("CD-TO")), ..between });
    assert!(other.flags.contains(&Flag::Admin1Mismatch) && other.admin1 != Some(area("CD-TO")));
}

#[test]
fn a_place_in_words_gives_the_point_of_the_town_and_no_site() {
    let place = Some("près de Tortiya".to_owned());
    let tag = tag(&Claim { country: Some(code("CIV")), place, ..Claim::default() });

    assert_eq!((tag.precision, tag.admin1), (Precision::Town, Some(area("CI-VB"))));
    assert_eq!((tag.site, tag.site_distance, tag.point), (None, None, None));
    assert!(tag.cell7.is_some() && tag.flags.is_empty());
}

#[test]
fn every_town_lies_where_the_gazetteer_says() {
    let towns = geo().gazetteer().iter().filter(|place| place.kind == PlaceKind::Town);
    for town in towns.step_by(7) {
        let within = Within { country: Some(town.country), area: geo().area_of(town) };
        let Found::One(found) = geo().find_place(&town.name, within) else {
            continue;
        };
        let claim = Claim {
            country: Some(town.country),
            place: Some(town.name.to_string()),
            admin1: geo().area_of(town).map(|area| area.id.clone()),
            ..Claim::default()
        };

        let tag = tag(&claim);

        assert_eq!(tag.matched.as_ref(), Some(found), "{}", town.name);
        assert_eq!(tag.country_computed, Some(town.country), "{}", town.name);
        assert!(!tag.flags.contains(&Flag::CountryMismatch), "{}", town.name);
    }
}

#[test]
fn an_area_without_a_point_is_unmapped_and_has_its_zone() {
    let tag = tag(&Claim {
        admin1: Some(area("CD-KS")),
        place: Some("Nulle-Part".to_owned()),
        ..Claim::default()
    });

    assert_eq!((tag.country, tag.precision), (code("COD"), Precision::Admin1));
    assert_eq!((tag.admin1.clone(), tag.zone), (Some(area("CD-KS")), Some(Africa::Lubumbashi)));
    assert!(!tag.is_mapped());
    assert_eq!(tag.flags, [Flag::PlaceUnresolved]);
}

#[test]
fn a_country_alone_is_unmapped_and_its_zone_is_for_the_caller_to_assume() {
    let mut tag = tag(&Claim { country: Some(code("COD")), ..Claim::default() });
    assert_eq!((tag.precision, tag.zone), (Precision::Country, None));

    tag.assume_zone(geo().countries().get(tag.country).unwrap().first_zone());

    assert_eq!(tag.zone, Some(Africa::Kinshasa));
    assert!(tag.zone_is_assumed && tag.flags == [Flag::ZoneAssumed]);
}

#[test]
fn a_site_without_a_point_gives_its_cell() {
    let tag = tag(&Claim { site: SiteId::parse("usgs-ago035"), ..Claim::default() });

    assert_eq!((tag.country, tag.precision), (code("AGO"), Precision::MineSite));
    assert_eq!(tag.admin1, Some(area("AO-LSU")));
    assert_eq!(tag.site_distance, Some(SiteDistance::Under1Km));
    assert!(tag.is_mapped() && tag.place.is_some());
}

#[test]
fn a_site_of_which_only_the_area_is_known_gives_the_area() {
    for site in geo().sites().iter() {
        let tag = tag(&Claim { site: Some(site.id.clone()), ..Claim::default() });

        let is_vague = matches!(site.precision, SitePrecision::Area | SitePrecision::Unverified);
        assert_eq!(tag.is_mapped(), !is_vague, "{}", site.id);
        assert_eq!(tag.flags.contains(&Flag::SiteImprecise), is_vague, "{}", site.id);
        let expected = match (is_vague, &tag.admin1) {
            (false, _) => Precision::MineSite,
            (true, Some(_)) => Precision::Admin1,
            (true, None) => Precision::Country,
        };
        assert_eq!(tag.precision, expected, "{}", site.id);
    }
}

#[test]
fn a_point_belongs_to_the_nearest_site_within_five_kilometres() {
    let near = tag(&claim("AGO", -9.41, 20.30));
    let far = tag(&claim("SLE", 9.3, -12.2));

    assert_eq!(near.site, SiteId::parse("usgs-ago035"));
    assert_eq!(near.site_distance, Some(SiteDistance::Under1Km));
    assert_eq!((far.site, far.site_distance), (None, Some(SiteDistance::Over50Km)));
}

#[test]
fn a_declared_site_far_from_the_point_is_kept_and_flagged() {
    let mut far = claim("AGO", -8.84, 13.23);
    far.site = SiteId::parse("usgs-ago035");

    let tag = tag(&far);

    assert_eq!(tag.site, SiteId::parse("usgs-ago035"));
    assert_eq!(tag.site_distance, Some(SiteDistance::Over50Km));
    assert!(tag.flags.contains(&Flag::SiteFar));
}

#[test]
fn an_area_or_site_of_another_country_is_refused() {
    let area_of_ivory_coast =
        Claim { country: Some(code("SLE")), admin1: Some(area("CI-WR")), ..Claim::default() };
    let mine_of_angola = Claim {
        country: Some(code("SLE")),
        site: SiteId::parse("usgs-ago035"),
        ..Claim::default()
    };

    assert!(matches!(
        geo().geotag(&area_of_ivory_coast),
        Err(ClaimError::Admin1OutsideCountry { admin1_country, .. }) if admin1_country == code("CIV")
    ));
    assert!(matches!(
        geo().geotag(&mine_of_angola),
        Err(ClaimError::SiteOutsideCountry { site_country, .. }) if site_country == code("AGO")
    ));
}

#[test]
fn an_area_or_site_that_nobody_knows_is_refused() {
    let unknown_area = Claim { admin1: Some(area("SL-ZZ")), ..Claim::default() };
    let unknown_site =
        Claim { country: Some(code("SLE")), site: SiteId::parse("nowhere"), ..Claim::default() };

    assert!(matches!(geo().geotag(&unknown_area), Err(ClaimError::Admin1Unknown { .. })));
    assert!(matches!(geo().geotag(&unknown_site), Err(ClaimError::SiteUnknown { .. })));
}
