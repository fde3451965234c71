//! `serve` and `migrate`.

use std::net::TcpListener;

use actix_web::web::Data;

use crate::app::{self, ServerOptions};
use crate::auth::credential::Credential;
use crate::auth::setup;
use crate::cli::{CommandError, open, tell};
use crate::config::{ServeConfig, StoreConfig};
use crate::context::Context;
use crate::db::dialect::{self, Target};
use crate::exports::jobs::ending;
use crate::notify::worker::Worker;
use crate::review::duplicates::worker as duplicates;

/// Runs the service until SIGTERM.
pub(super) fn serve(store: &StoreConfig, serve: &ServeConfig) -> Result<(), CommandError> {
    let context = Data::new(open(store)?);
    let listener = bind(&serve.listen)?;
    let url = format!("http://{}", listener.local_addr()?);
    // Before the address is told: whoever waits for that may count on this link being the last.
    let link = setup::offer(&context)?;
    tell(&format!("sentinelle listens on {url}"));
    if let Some(link) = link {
        let url = context.public_url.as_ref().map_or(url, |public| public.origin().to_owned());
        tell(&words_of_setup(&url, &link));
    }
    let ServeConfig { listen: _, workers, rates, targets } = serve;
    let (workers, rates, targets) = (*workers, *rates, *targets);
    run(context, listener, &ServerOptions { workers, rates, targets, ..Default::default() })
}

fn words_of_setup(url: &str, link: &Credential) -> String {
    format!(
        "There is no coordinator yet. Make the first one, with a name and a password of your own:\n\n    \
         curl -sS {url}/v1/setup -H 'Content-Type: application/json' \\\n      \
         -d '{{\"token\":\"{}\",\"name\":\"…\",\"password\":\"…\"}}'\n\n\
         The link works once, and until the next start.",
        link.expose()
    )
}

/// Takes the address, or says what to do about it.
pub(super) fn bind(address: &str) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).map_err(|error| {
        CommandError::Usage(format!(
            "cannot listen on {address}: {error}; choose another with --listen"
        ))
    })
}

/// Runs the server on this thread; counting columns, boundary packs, regions and keys are kept current beside it,
/// others are told of changes, and likely duplicates are looked for.
pub(super) fn run(
    context: Data<Context>,
    listener: TcpListener,
    options: &ServerOptions,
) -> Result<(), CommandError> {
    keep_current(context.clone());
    let worker = Worker::start(&context);
    let looking = duplicates::Worker::start(&context);
    actix_web::rt::System::new()
        .block_on(async { app::serve(context, listener, options)?.await })?;
    // What is just being sent is sent to its end; what waits is there at the next start.
    drop(worker);
    drop(looking);
    Ok(())
}

/// Reads changes once a second, so that the first question after a flood of reports need not wait for all of them, and
/// so that a pack imported, a region edited or an instance key changed beside this server is used here; and removes exports
/// whose day is over.
fn keep_current(context: Data<Context>) {
    let refresh = move || {
        let refreshed =
            context.db.read_here(|conn| context.live.refresh(conn, &context.keys.place_veil()));
        if let Err(error) = refreshed {
            tracing::warn!(
                code = error.code.as_str(),
                "the counting columns could not be brought up to date"
            );
        }
        if let Err(error) = context.refresh_packs() {
            tracing::warn!(code = error.code.as_str(), "the boundary packs could not be read");
        }
        if let Err(error) = context.db.read_here(|conn| context.refresh_regions(conn)) {
            tracing::warn!(code = error.code.as_str(), "the regions could not be read");
        }
        if let Err(error) = context.refresh_keys() {
            tracing::error!(
                code = error.code.as_str(),
                "the instance key in use could not be taken up: if it was changed, start anew with the new key"
            );
        }
        if let Err(error) = ending::remove_old(&context) {
            tracing::warn!(code = error.code.as_str(), "exports of yesterday were not removed");
        }
        if let Err(error) = context.db.clear_log_if_needed() {
            tracing::warn!(code = error.code.as_str(), "the database's log could not be emptied");
        }
    };
    std::thread::spawn(move || {
        loop {
            refresh();
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    });
}

/// Brings the schema up to date.
pub(super) fn migrate(store: &StoreConfig) -> Result<(), CommandError> {
    let target = Target::parse(&store.url()).map_err(crate::context::StartError::from)?;
    target.prepare().map_err(crate::context::StartError::from)?;
    dialect::migrate(&target).map_err(crate::context::StartError::from)?;
    tell(&format!("the {} database is up to date", target.engine()));
    Ok(())
}
