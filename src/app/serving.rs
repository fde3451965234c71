//! The running server: what all its workers share, and the frame around every route.

use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpServer};

use crate::app::configure;
use crate::app::mount::answer_not_found;
use crate::auth::rates::RateLimits;
use crate::config::{PublicUrl, Rates, Targets};
use crate::context::Context;
use crate::http::body::BodyLimits;
use crate::http::counts::RequestCounts;
use crate::http::frame;
use crate::http::headers::Transport;
use crate::metrics;

/// How the server runs.
#[derive(Clone)]
pub struct ServerOptions {
    /// Limits of request bodies.
    pub limits: BodyLimits,
    /// Worker threads; by default one a core.
    pub workers: Option<usize>,
    /// Longest wait for the head of a request. 2G and satellite links need far more than the framework's 5 s.
    pub head_timeout: Duration,
    /// How much one caller may ask.
    pub rates: Rates,
    /// By when reviewers want to have decided.
    pub targets: Targets,
    /// Longest wait for running requests after SIGTERM.
    pub drain_timeout_s: u64,
    /// Routes of a test.
    pub extra: fn(&mut ServiceConfig),
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            limits: BodyLimits::default(),
            workers: None,
            head_timeout: Duration::from_secs(30),
            rates: Rates::UNLIMITED,
            targets: Targets::default(),
            drain_timeout_s: 20,
            extra: |_| {},
        }
    }
}

/// Serves on `listener` until SIGTERM or SIGINT, then lets running requests finish.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    context: Data<Context>,
    listener: std::net::TcpListener,
    options: &ServerOptions,
) -> std::io::Result<Server> {
    let limits = Data::new(options.limits.clone());
    let is_https = context.public_url.as_ref().is_some_and(PublicUrl::is_https);
    let transport = Data::new(if is_https { Transport::Https } else { Transport::Plain });
    let registry = metrics::registry().map_err(std::io::Error::other)?;
    let counts = Data::new(RequestCounts::new(&registry).map_err(std::io::Error::other)?);
    let registry = Data::new(registry);
    let rates = Data::new(RateLimits::new(&options.rates, &context.clock));
    let targets = Data::new(options.targets);
    let extra = options.extra;
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(context.clone())
            .app_data(limits.clone())
            .app_data(transport.clone())
            .app_data(rates.clone())
            .app_data(targets.clone())
            .app_data(counts.clone())
            .app_data(registry.clone())
            .wrap(from_fn(frame::frame))
            .configure(configure)
            .configure(extra)
            .default_service(web::to(answer_not_found))
    })
    .client_request_timeout(options.head_timeout)
    .shutdown_timeout(options.drain_timeout_s);
    if let Some(workers) = options.workers {
        server = server.workers(workers);
    }
    Ok(server.listen(listener)?.run())
}
