//! Names as people write them, and the places they must lead to.

use crate::geo::areas::AreaId;
use crate::geo::gazetteer::{Found, Place, PlaceKind, Within};
use crate::geo::locate_tests::{at, code, geo};

fn find(country: &str, text: &str) -> Found<'static> {
    geo().find_place(text, Within { country: Some(code(country)), area: None })
}

fn find_in(area: &str, text: &str) -> Found<'static> {
    let area = geo().areas().get(&AreaId::parse(area).unwrap()).unwrap();
    geo().find_place(text, Within { country: Some(area.country), area: Some(area) })
}

#[track_caller]
fn assert_at(country: &str, text: &str, lat: f64, lon: f64) -> &'static Place {
    let found = find(country, text);
    let Found::One(place) = found else {
        panic!("{text}: {found:?}");
    };
    let distance_m = place.point.unwrap().distance_m(at(lat, lon));
    assert!(distance_m < 3_000.0, "{text}: {} is {distance_m:.0} m away", place.name);
    place
}

#[track_caller]
fn assert_several(country: &str, text: &str) -> Vec<&'static Place> {
    match find(country, text) {
        Found::Several(places) => places,
        found => panic!("{text}: {found:?}"),
    }
}

/// Ten towns with their points, each in the ways people write it.
const TOWNS: [(&str, f64, f64, &[&str]); 10] = [
    ("CIV", 8.7682, -5.6865, &["Tortiya", "TORTIYA", "tortiya", "Tortya", "Tortia", "Torttiya"]),
    (
        "CIV",
        7.9611,
        -6.6731,
        &["Séguéla", "Seguela", "SÉGUÉLA", "Se\u{301}gue\u{301}la", "Ségéla", "Séguela"],
    ),
    (
        "SLE",
        8.6439,
        -10.9714,
        &["Koidu", "Koidou", "Koïdu", "KOIDU TOWN", "Koidu-Sefadu", "Sefadu", "Séfadou"],
    ),
    (
        "COD",
        -6.1360,
        23.5898,
        &[
            "Mbuji-Mayi",
            "Mbuji Mayi",
            "M’Buji-Mayi",
            "M'buji Mayi",
            "MBUJIMAYI",
            "Mbuji-Mai",
            "Bakwanga",
        ],
    ),
    (
        "COD",
        -4.3276,
        15.3136,
        &["Kinshasa", "kinshassa", "Kinchasa", "Léopoldville", "Leopoldville"],
    ),
    (
        "CAF",
        4.2612,
        15.7922,
        &["Berbérati", "Berberati", "BERBERATI", "Berbérati", "Berbérrati", "Berberaty"],
    ),
    ("CAF", 4.9427, 15.8774, &["Carnot", "carnot", "Carnott", "Karnot"]),
    ("CIV", 7.4125, -7.5538, &["Man", "man", "MAN"]),
    (
        "GIN",
        7.7562,
        -8.8179,
        &["Nzérékoré", "N’Zérékoré", "N'Zerekore", "Nzerekore", "NZÉRÉKORÉ", "N'zérékorè"],
    ),
    ("CIV", 6.8205, -5.2767, &["Yamoussoukro", "Yamusukro", "Yamoussokro", "YAMOUSSOUKRO"]),
];

#[test]
fn every_spelling_of_a_town_leads_to_it() {
    for (country, lat, lon, spellings) in TOWNS {
        for spelling in spellings {
            assert_at(country, spelling, lat, lon);
        }
    }
}

#[test]
fn the_words_around_a_name_do_not_matter() {
    for text in [
        "près de Tortiya",
        "Près de Tortiya.",
        "pres de tortia",
        "village de Tortiya",
        "à 5 km de Tortiya",
        "dans la ville de Tortiya (Côte d’Ivoire)",
        "au nord de Tortiya",
        "sur la route de Tortiya",
        "near Tortiya",
        "Tortiya town",
        "5km north of Tortiya",
    ] {
        let place = assert_at("CIV", text, 8.7682, -5.6865);
        assert_eq!(place.kind, PlaceKind::Town, "{text}");
    }
}

#[test]
fn a_mine_is_a_site_only_where_the_words_say_so() {
    for (country, text, site) in [
        ("CIV", "mine de Tortiya", Some("town-ci-013")),
        ("CIV", "chantier Tortiya", Some("town-ci-013")),
        ("CIV", "Tortiya", None),
        ("AGO", "Catoca", Some("usgs-ago035")),
        ("AGO", "mine de Catoca", Some("usgs-ago035")),
        ("AGO", "Catoca mine", Some("usgs-ago035")),
        ("COD", "MIBA", Some("usgs-cod034")),
        ("LSO", "Letšeng", Some("usgs-lso006")),
        ("LSO", "near Letseng mine", Some("usgs-lso006")),
        ("SLE", "Tongo Fields", Some("town-sl-003")),
        ("ZWE", "Marange fields", Some("usgs-zwe044")),
        ("LBR", "Henry Town", Some("town-lr-009")),
    ] {
        let found = find(country, text);
        let Found::One(place) = found else {
            panic!("{text}: {found:?}");
        };
        let found = match &place.kind {
            PlaceKind::Site(id) => Some(id.as_str()),
            PlaceKind::Town | PlaceKind::Area(_) => None,
        };
        assert_eq!(found, site, "{text}");
    }
}

#[test]
fn a_site_of_which_nobody_knows_the_point_shows_none() {
    let Found::One(place) = find("CAF", "chantier de Nzako") else {
        panic!("Nzako is a known site");
    };

    assert_eq!((place.point, place.kind.as_str()), (None, "site"));
}

#[test]
fn of_places_with_one_name_none_is_chosen() {
    // There are two Giehun and two Gandorhun in Sierra Leone, and two Bailundo in Angola.
    for (country, text, n_places) in
        [("SLE", "Giehun", 2), ("SLE", "Gandorhun", 2), ("AGO", "Bailundo", 2)]
    {
        assert_eq!(assert_several(country, text).len(), n_places, "{text}");
    }
}

#[test]
fn the_declared_area_decides_between_places_with_one_name() {
    let Found::One(place) = find_in("AO-HUA", "Bailundo") else {
        panic!("one Bailundo in Huambo");
    };

    assert_eq!(place.area, AreaId::parse("AO-HUA"));
    assert!(matches!(find_in("AO-LUA", "Bailundo"), Found::Several(_)), "none is in Luanda");
}

#[test]
fn what_else_the_words_name_decides_too() {
    let Found::One(by_area) = find("AGO", "Bailundo, province de Huambo") else {
        panic!("the province is named");
    };
    assert_eq!(by_area.area, AreaId::parse("AO-HUA"));
}

#[test]
fn between_two_towns_is_neither_of_them() {
    let places = assert_several("CAF", "axe Carnot–Berberati");
    let names: Vec<&str> = places.iter().map(|place| place.name.as_ref()).collect();

    assert_eq!(names.len(), 2);
    assert!(names.contains(&"Carnot") && names.contains(&"Berbérati"), "{names:?}");
    assert_several("CAF", "entre Carnot et Berbérati");
    assert_several("CAF", "à 120 km de Bria");
}

#[test]
fn the_first_place_is_meant_and_what_follows_says_where_it_is() {
    for (country, text, name) in [
        ("CAF", "près de Carnot, Berbérati", "Carnot"),
        ("CIV", "Tortiya, près de Niakaramandougou", "Tortiya"),
        ("CIV", "près de Tortiya, préfecture de Niakara", "Tortiya"),
        ("SLE", "Giehun, Kenema", "Giehun"),
    ] {
        let found = find(country, text);
        let Found::One(place) = found else {
            panic!("{text}: {found:?}");
        };
        assert_eq!(place.name.as_ref(), name, "{text}");
    }
}

#[test]
fn an_area_alone_is_an_area() {
    for (country, text, area) in [
        ("CIV", "Vallée du Bandama", "CI-VB"),
        ("CAF", "préfecture de la Haute-Kotto", "CF-HK"),
        ("COD", "province de l’Équateur", "CD-EQ"),
        ("COD", "ancienne province du Katanga", "COD-1897"),
        ("SLE", "North Western", "SL-NW"),
        ("CAF", "Mambéré", "CAF-19"),
    ] {
        let found = find(country, text);
        let Found::One(place) = found else {
            panic!("{text}: {found:?}");
        };
        assert_eq!(place.kind, PlaceKind::Area(AreaId::parse(area).unwrap()), "{text}");
    }
}

#[test]
fn what_is_not_known_is_not_invented() {
    for (country, text) in [
        ("CIV", "Nulle-Part-sur-Mer"),
        ("CAF", "district de Bria"),
        ("CIV", "près de la rivière"),
        ("CIV", ""),
        ("CIV", "…"),
        ("CAF", "au bord de la route, à 3 km"),
        ("LSO", "Tortiya"),
        ("CIV", "Koidu"),
    ] {
        assert_eq!(find(country, text), Found::Nothing, "{text}");
    }
}

#[test]
fn without_a_country_a_name_must_be_the_only_one() {
    let anywhere = |text| geo().find_place(text, Within::default());

    assert!(
        matches!(anywhere("près de Tortiya"), Found::One(place) if place.country == code("CIV"))
    );
    assert!(matches!(anywhere("Bo"), Found::Several(_) | Found::One(_)));
    assert_eq!(anywhere("Tortya"), Found::Nothing, "nothing is guessed without a country");
}

#[test]
fn whatever_is_typed_is_suggested_best_first() {
    let suggest = |text: &str, country: Option<&str>| -> Vec<String> {
        let places = geo().gazetteer().suggest(text, country.map(code), 5);
        places.into_iter().map(|place| format!("{} {}", place.name, place.kind.as_str())).collect()
    };

    assert_eq!(suggest("tort", Some("CIV")).first().map(String::as_str), Some("Tortiya town"));
    assert_eq!(suggest("KOID", None).first().map(String::as_str), Some("Koidu town"));
    assert_eq!(suggest("séfa", Some("SLE")).first().map(String::as_str), Some("Koidu town"));
    assert_eq!(suggest("Tortya", Some("CIV")).first().map(String::as_str), Some("Tortiya town"));
    assert_eq!(suggest("haute-k", Some("CAF")), ["Haute-Kotto admin1"]);
    assert!(suggest("cato", Some("AGO")).contains(&"Catoca Kimberlite Mine site".to_owned()));
    assert_eq!(suggest("k", None).len(), 5);
    assert!(suggest("  ", None).is_empty());
}
