//! The application: every route in one list, and the OpenAPI document made of them.

mod mount;
mod serving;

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::{HttpResponse, Route, guard, web};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

pub use crate::app::mount::configure;
pub use crate::app::serving::{ServerOptions, serve};
use crate::http::problem;
use crate::http::shared_errors::add_shared_errors;
use crate::notify::notices_http;
use crate::notify::webhooks::http as webhooks;
use crate::people::{devices, grants, organisations, regions, tokens, users};
use crate::releases::public::http as public;
use crate::review::duplicates;
use crate::{
    aggregates, audit, auth, brief, exports, health, incidents, intake, metrics, notify, ogc,
    reference, releases, review, security_txt,
};

/// A method and a path, as a client writes it.
pub type RouteName = (Method, &'static str);

/// A route that is read: GET, and HEAD for its headers alone.
pub fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Every route that needs no credential.
pub fn public_routes() -> Vec<(RouteName, Route)> {
    let mut routes = vec![
        ((Method::GET, "/health/live"), read().to(health::get_liveness)),
        ((Method::GET, "/health/ready"), read().to(health::get_readiness)),
        ((Method::GET, "/openapi.json"), read().to(get_openapi)),
        ((Method::GET, "/.well-known/security.txt"), read().to(security_txt::get_security_txt)),
        ((Method::GET, "/v1/about"), read().to(reference::get_about)),
        ((Method::GET, "/v1/taxonomy"), read().to(reference::get_taxonomy)),
        ((Method::POST, "/v1/sessions"), web::post().to(auth::sessions_http::create_session)),
        (
            (Method::POST, "/v1/invitations/accept"),
            web::post().to(auth::links_http::accept_invitation),
        ),
        ((Method::POST, "/v1/setup"), web::post().to(auth::links_http::set_up)),
    ];
    routes.extend(releases::routes::public_routes());
    routes
}

/// Every route that needs one.
pub fn guarded_routes() -> Vec<(RouteName, Route)> {
    let mut routes = vec![
        // counts
        ((Method::GET, "/v1/aggregates"), read().to(aggregates::http::get_aggregates)),
        ((Method::GET, "/v1/aggregates.csv"), read().to(aggregates::http::get_aggregates_csv)),
        ((Method::GET, "/v1/countries"), read().to(aggregates::http::list_countries)),
        ((Method::GET, "/v1/countries.csv"), read().to(aggregates::http::list_countries_csv)),
        (
            (Method::GET, "/v1/countries/{country}.csv"),
            read().to(aggregates::http::get_country_csv),
        ),
        ((Method::GET, "/v1/countries/{country}"), read().to(aggregates::http::get_country)),
        ((Method::GET, "/v1/countries/{country}/brief.html"), read().to(brief::http::get_brief)),
        ((Method::GET, "/v1/countries/{country}/brief.pdf"), read().to(brief::http::get_brief_pdf)),
        ((Method::GET, "/v1/charts/{name}.svg"), read().to(brief::http::get_chart)),
        ((Method::GET, "/v1/charts/{name}.png"), read().to(brief::http::get_chart_png)),
        // audit
        ((Method::GET, "/v1/audit"), read().to(audit::http::list_audit_entries)),
        ((Method::GET, "/v1/audit/heads"), read().to(audit::http::list_audit_heads)),
        // operation
        ((Method::GET, "/metrics"), read().to(metrics::get_metrics)),
    ];
    routes.extend(intake_routes());
    routes.extend(incident_routes());
    routes.extend(case_routes());
    routes.extend(queue_routes());
    routes.extend(notify_routes());
    routes.extend(account_routes());
    routes.extend(people_routes());
    routes.extend(ogc_routes());
    routes.extend(exports::http::routes());
    routes.extend(releases::routes::guarded_routes());
    routes
}

/// Routes by which reports come in, are corrected and are opened.
fn intake_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::POST, "/v1/reports"), web::post().to(intake::http::create_report)),
        ((Method::PUT, "/v1/reports/{id}"), web::put().to(intake::http::put_report)),
        ((Method::GET, "/v1/reports/{id}"), read().to(incidents::http::get_report)),
        ((Method::GET, "/v1/reports/{id}/receipt"), read().to(intake::http::get_receipt)),
        (
            (Method::POST, "/v1/reports/{id}/revisions"),
            web::post().to(intake::revisions::create_revision),
        ),
        (
            (Method::POST, "/v1/reports/{id}/withdrawal"),
            web::post().to(review::withdrawal::withdraw_report),
        ),
        ((Method::GET, "/v1/messages"), read().to(review::messages::inbox::list_own_questions)),
        (
            (Method::POST, "/v1/messages/{id}/answers"),
            web::post().to(review::messages::answering::answer_question),
        ),
        ((Method::GET, "/v1/geotag"), read().to(intake::http::get_geotag)),
        ((Method::GET, "/v1/places"), read().to(intake::places::list_places)),
        ((Method::POST, "/v1/classify"), web::post().to(intake::classify::classify_text)),
    ]
}

/// Routes of incidents and reports under review.
fn incident_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/incidents"), read().to(incidents::http::list_incidents)),
        ((Method::GET, "/v1/incidents/{id}"), read().to(incidents::http::get_incident)),
        (
            (Method::POST, "/v1/incidents/{id}/decisions"),
            web::post().to(review::http::decide_incident),
        ),
        (
            (Method::GET, "/v1/incidents/{id}/comparison"),
            read().to(review::comparison::compare_incident),
        ),
        ((Method::DELETE, "/v1/reports/{id}"), web::delete().to(review::http::erase_report)),
        (
            (Method::POST, "/v1/incidents/{id}/reveal"),
            web::post().to(incidents::reveal::reveal_incident),
        ),
        (
            (Method::POST, "/v1/incidents/{id}/related"),
            web::post().to(incidents::relations::relate_incidents),
        ),
        (
            (Method::DELETE, "/v1/incidents/{id}/related/{related}"),
            web::delete().to(incidents::relations::unrelate_incident),
        ),
        ((Method::GET, "/v1/quarantine"), read().to(review::http::list_quarantined)),
        ((Method::GET, "/v1/quarantine/{id}"), read().to(review::http::get_quarantined)),
        (
            (Method::POST, "/v1/quarantine/{id}/decisions"),
            web::post().to(review::http::decide_quarantined),
        ),
    ]
}

/// Routes of what makes several reports one case, and of its story.
fn case_routes() -> Vec<(RouteName, Route)> {
    vec![
        (
            (Method::POST, "/v1/incidents/{id}/merge"),
            web::post().to(review::merging::http::merge_incidents),
        ),
        (
            (Method::POST, "/v1/incidents/{id}/split"),
            web::post().to(review::merging::http::split_incident),
        ),
        (
            (Method::GET, "/v1/incidents/{id}/history"),
            read().to(review::history::http::list_history),
        ),
        (
            (Method::GET, "/v1/incidents/{id}/history/{version}"),
            read().to(review::history::state::get_earlier_incident),
        ),
        (
            (Method::GET, "/v1/incidents/{id}/messages"),
            read().to(review::messages::thread::list_messages),
        ),
        (
            (Method::POST, "/v1/incidents/{id}/messages"),
            web::post().to(review::messages::asking::ask_sender),
        ),
        (
            (Method::GET, "/v1/incidents/{id}/duplicates"),
            read().to(duplicates::http::list_duplicates),
        ),
        (
            (Method::POST, "/v1/incidents/{id}/duplicates/dismissals"),
            web::post().to(duplicates::http::dismiss_duplicate),
        ),
        (
            (Method::DELETE, "/v1/incidents/{id}/duplicates/dismissals/{other}"),
            web::delete().to(duplicates::http::undo_dismissal),
        ),
    ]
}

/// Routes of what waits and who works on it.
fn queue_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/queue"), read().to(review::queue::list_queue)),
        ((Method::POST, "/v1/queue/next"), web::post().to(review::next::claim_next)),
        ((Method::GET, "/v1/queue/reviewers"), read().to(review::reviewers::list_reviewers)),
        ((Method::POST, "/v1/queue/rejections"), web::post().to(review::flood::reject_flood)),
        (
            (Method::POST, "/v1/queue/rejections/{id}/undo"),
            web::post().to(review::flood::undo_rejection),
        ),
        (
            (Method::POST, "/v1/incidents/{id}/claim"),
            web::post().to(review::claims::claim_incident),
        ),
        (
            (Method::DELETE, "/v1/incidents/{id}/claim"),
            web::delete().to(review::claims::release_incident),
        ),
        (
            (Method::PUT, "/v1/incidents/{id}/assignee"),
            web::put().to(review::assignments::assign_incident),
        ),
    ]
}

/// Routes by which others are told of changes.
fn notify_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/changes"), read().to(notify::http::list_changes)),
        ((Method::GET, "/v1/webhooks"), read().to(webhooks::list_webhooks)),
        ((Method::POST, "/v1/webhooks"), web::post().to(webhooks::create_webhook)),
        ((Method::GET, "/v1/webhooks/{id}"), read().to(webhooks::get_webhook)),
        ((Method::PUT, "/v1/webhooks/{id}"), web::put().to(webhooks::put_webhook)),
        ((Method::DELETE, "/v1/webhooks/{id}"), web::delete().to(webhooks::delete_webhook)),
        ((Method::POST, "/v1/webhooks/{id}/test"), web::post().to(webhooks::test_webhook)),
    ]
}

/// Routes of one's own account.
fn account_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/me"), read().to(auth::account_http::get_account)),
        ((Method::PUT, "/v1/me/password"), web::put().to(auth::account_http::put_password)),
        (
            (Method::POST, "/v1/me/second-factor"),
            web::post().to(auth::account_http::begin_second_factor),
        ),
        (
            (Method::PUT, "/v1/me/second-factor"),
            web::put().to(auth::account_http::confirm_second_factor),
        ),
        ((Method::GET, "/v1/me/notifications"), read().to(notices_http::get_notifications)),
        ((Method::PUT, "/v1/me/notifications"), web::put().to(notices_http::put_notifications)),
        ((Method::GET, "/v1/sessions"), read().to(auth::sessions_http::list_sessions)),
        (
            (Method::DELETE, "/v1/sessions/{id}"),
            web::delete().to(auth::sessions_http::delete_session),
        ),
    ]
}

/// Routes of organisations, regions, people, phones and tokens.
fn people_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/v1/regions"), read().to(regions::http::list_regions)),
        ((Method::PUT, "/v1/regions/{code}"), web::put().to(regions::http::put_region)),
        ((Method::DELETE, "/v1/regions/{code}"), web::delete().to(regions::http::delete_region)),
        ((Method::GET, "/v1/organisations"), read().to(organisations::http::list_organisations)),
        (
            (Method::POST, "/v1/organisations"),
            web::post().to(organisations::http::create_organisation),
        ),
        ((Method::GET, "/v1/organisations/{id}"), read().to(organisations::http::get_organisation)),
        (
            (Method::PUT, "/v1/organisations/{id}"),
            web::put().to(organisations::http::put_organisation),
        ),
        ((Method::GET, "/v1/users"), read().to(users::http::list_users)),
        ((Method::POST, "/v1/users"), web::post().to(users::http::create_user)),
        ((Method::GET, "/v1/users/{id}"), read().to(users::http::get_user)),
        (
            (Method::POST, "/v1/users/{id}/invitation"),
            web::post().to(users::http::create_invitation),
        ),
        ((Method::POST, "/v1/users/{id}/disable"), web::post().to(users::http::disable_user)),
        ((Method::POST, "/v1/users/{id}/enable"), web::post().to(users::http::enable_user)),
        ((Method::POST, "/v1/users/{id}/handover"), web::post().to(users::http::hand_over_user)),
        ((Method::GET, "/v1/grants"), read().to(grants::http::list_grants)),
        ((Method::POST, "/v1/grants"), web::post().to(grants::http::create_grant)),
        ((Method::DELETE, "/v1/grants/{id}"), web::delete().to(grants::http::delete_grant)),
        ((Method::GET, "/v1/devices"), read().to(devices::http::list_devices)),
        ((Method::POST, "/v1/devices"), web::post().to(devices::http::create_device)),
        ((Method::PUT, "/v1/devices/{id}"), web::put().to(devices::http::put_device)),
        ((Method::DELETE, "/v1/devices/{id}"), web::delete().to(devices::http::delete_device)),
        ((Method::GET, "/v1/tokens"), read().to(tokens::list_tokens)),
        ((Method::POST, "/v1/tokens"), web::post().to(tokens::create_token)),
        ((Method::DELETE, "/v1/tokens/{id}"), web::delete().to(tokens::delete_token)),
    ]
}

/// Routes of OGC API Features.
fn ogc_routes() -> Vec<(RouteName, Route)> {
    vec![
        ((Method::GET, "/ogc"), read().to(ogc::http::get_landing)),
        ((Method::GET, "/ogc/api"), read().to(ogc::http::get_api)),
        ((Method::GET, "/ogc/conformance"), read().to(ogc::http::get_conformance)),
        ((Method::GET, "/ogc/collections"), read().to(ogc::http::list_collections)),
        ((Method::GET, "/ogc/collections/{collection}"), read().to(ogc::http::get_collection)),
        (
            (Method::GET, "/ogc/collections/{collection}/queryables"),
            read().to(ogc::http::get_queryables),
        ),
        ((Method::GET, "/ogc/collections/{collection}/schema"), read().to(ogc::http::get_schema)),
        ((Method::GET, "/ogc/collections/{collection}/items"), read().to(ogc::http::list_features)),
        (
            (Method::GET, "/ogc/collections/{collection}/items/{id}"),
            read().to(ogc::http::get_feature),
        ),
    ]
}

/// The OpenAPI document, from the handlers' own annotations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sentinelle",
        description = "Field reports on diamond mining: taken in, geotagged, categorised, reviewed, counted per country.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        intake::http::create_report,
        intake::http::put_report,
        incidents::http::get_report,
        intake::http::get_receipt,
        intake::revisions::create_revision,
        review::withdrawal::withdraw_report,
        review::messages::inbox::list_own_questions,
        review::messages::answering::answer_question,
        intake::http::get_geotag,
        intake::places::list_places,
        review::queue::list_queue,
        review::next::claim_next,
        review::reviewers::list_reviewers,
        review::flood::reject_flood,
        review::flood::undo_rejection,
        review::claims::claim_incident,
        review::claims::release_incident,
        review::assignments::assign_incident,
        intake::classify::classify_text,
        incidents::http::list_incidents,
        incidents::http::get_incident,
        notify::http::list_changes,
        webhooks::list_webhooks,
        webhooks::create_webhook,
        webhooks::get_webhook,
        webhooks::put_webhook,
        webhooks::delete_webhook,
        webhooks::test_webhook,
        notices_http::get_notifications,
        notices_http::put_notifications,
        review::http::decide_incident,
        review::merging::http::merge_incidents,
        review::merging::http::split_incident,
        duplicates::http::list_duplicates,
        duplicates::http::dismiss_duplicate,
        duplicates::http::undo_dismissal,
        review::comparison::compare_incident,
        review::history::http::list_history,
        review::history::state::get_earlier_incident,
        review::messages::thread::list_messages,
        review::messages::asking::ask_sender,
        review::http::erase_report,
        incidents::reveal::reveal_incident,
        incidents::relations::relate_incidents,
        incidents::relations::unrelate_incident,
        review::http::list_quarantined,
        review::http::get_quarantined,
        review::http::decide_quarantined,
        aggregates::http::get_aggregates,
        aggregates::http::get_aggregates_csv,
        aggregates::http::list_countries,
        aggregates::http::list_countries_csv,
        brief::http::get_brief,
        brief::http::get_brief_pdf,
        brief::http::get_chart,
        brief::http::get_chart_png,
        aggregates::http::get_country,
        aggregates::http::get_country_csv,
        releases::http::create_release,
        releases::http::list_releases,
        releases::http::get_release,
        releases::http::approve_release,
        releases::http::withdraw_release,
        public::list_public_releases,
        public::get_public_release,
        public::get_public_release_csv,
        public::get_public_aggregates,
        public::get_public_aggregates_csv,
        public::list_public_countries,
        public::list_public_countries_csv,
        public::get_public_country,
        audit::http::list_audit_entries,
        audit::http::list_audit_heads,
        auth::sessions_http::create_session,
        auth::sessions_http::list_sessions,
        auth::sessions_http::delete_session,
        auth::account_http::get_account,
        auth::account_http::put_password,
        auth::account_http::begin_second_factor,
        auth::account_http::confirm_second_factor,
        auth::links_http::accept_invitation,
        auth::links_http::set_up,
        regions::http::list_regions,
        regions::http::put_region,
        regions::http::delete_region,
        organisations::http::list_organisations,
        organisations::http::create_organisation,
        organisations::http::get_organisation,
        organisations::http::put_organisation,
        users::http::list_users,
        users::http::create_user,
        users::http::get_user,
        users::http::create_invitation,
        users::http::disable_user,
        users::http::enable_user,
        users::http::hand_over_user,
        grants::http::list_grants,
        grants::http::create_grant,
        grants::http::delete_grant,
        devices::http::list_devices,
        devices::http::create_device,
        devices::http::put_device,
        devices::http::delete_device,
        tokens::list_tokens,
        tokens::create_token,
        tokens::delete_token,
        ogc::http::get_landing,
        ogc::http::get_api,
        ogc::http::get_conformance,
        ogc::http::list_collections,
        ogc::http::get_collection,
        ogc::http::get_queryables,
        ogc::http::get_schema,
        ogc::http::list_features,
        ogc::http::get_feature,
        reference::get_taxonomy,
        reference::get_about,
        security_txt::get_security_txt,
        health::get_liveness,
        health::get_readiness,
        metrics::get_metrics,
    ),
    components(schemas(problem::Problem)),
    security(("token" = [])),
)]
struct Document;

/// Returns the OpenAPI document with what every operation shares: the token and the errors.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(exports::http::openapi());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of `sentinelle user add`, a device key of `sentinelle device add`, a session, or a feed key.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.put, &mut path.post, &mut path.delete];
        let operations = operations.into_iter().filter_map(Option::as_mut);
        for operation in operations {
            add_shared_errors(operation);
        }
    }
    document
}

async fn get_openapi() -> HttpResponse {
    // Large, and always the same. That it is JSON is tested: it cannot fail here.
    static DOCUMENT: LazyLock<web::Bytes> =
        LazyLock::new(|| openapi().to_json().unwrap_or_default().into());
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.clone())
}
