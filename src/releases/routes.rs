//! The routes of releases: those of coordinators, and those of everybody.

use actix_web::http::Method;
use actix_web::{Route, web};

use crate::app::{RouteName, read};
use crate::releases::http as releases;
use crate::releases::public::http as public;

/// Every route that needs no credential.
pub fn public_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/public/releases"), read().to(public::list_public_releases)),
        ((Method::GET, "/v1/public/releases/{id}.csv"), read().to(public::get_public_release_csv)),
        ((Method::GET, "/v1/public/releases/{id}"), read().to(public::get_public_release)),
        ((Method::GET, "/v1/public/aggregates"), read().to(public::get_public_aggregates)),
        ((Method::GET, "/v1/public/aggregates.csv"), read().to(public::get_public_aggregates_csv)),
        ((Method::GET, "/v1/public/countries"), read().to(public::list_public_countries)),
        ((Method::GET, "/v1/public/countries.csv"), read().to(public::list_public_countries_csv)),
        ((Method::GET, "/v1/public/countries/{country}"), read().to(public::get_public_country)),
    ]
}

/// Every route of coordinators.
pub fn guarded_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/releases"), read().to(releases::list_releases)),
        ((Method::POST, "/v1/releases"), web::post().to(releases::create_release)),
        ((Method::GET, "/v1/releases/{id}"), read().to(releases::get_release)),
        ((Method::POST, "/v1/releases/{id}/approval"), web::post().to(releases::approve_release)),
        (
            (Method::POST, "/v1/releases/{id}/withdrawal"),
            web::post().to(releases::withdraw_release),
        ),
    ]
}
