//! The threads that tell others, as long as the server runs. Several servers may work on one database.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};

use crate::context::Context;
use crate::error::Result;
use crate::notify::notices;
use crate::notify::webhooks::{outbox, sender};

/// Threads that send: so many slow receivers at once hold up nobody else.
const N_SENDERS: usize = 4;
/// How often it is looked whether there is something to do.
const PAUSE: Duration = Duration::from_secs(1);
/// How often what was sent long ago is removed.
const CLEARING: TimeDelta = TimeDelta::hours(1);

/// Tells the threads to end, and wakes them for it.
#[derive(Debug, Default)]
struct End {
    is_near: Mutex<bool>,
    bell: Condvar,
}

impl End {
    /// Waits a little; tells whether the end is near.
    fn wait(&self) -> bool {
        let is_near = self.is_near.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(is_near, PAUSE, |is_near| !*is_near);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn is_near(&self) -> bool {
        *self.is_near.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn come(&self) {
        *self.is_near.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }
}

/// The running threads; they end when this is dropped, each after what it is just sending.
#[derive(Debug)]
pub struct Worker {
    end: Arc<End>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts the threads.
    pub fn start(context: &Data<Context>) -> Self {
        let end = Arc::new(End::default());
        let spawn = |work: fn(&Context, &End)| {
            let (context, end) = (context.clone(), Arc::clone(&end));
            std::thread::spawn(move || {
                while !end.is_near() {
                    work(&context, &end);
                    if end.wait() {
                        return;
                    }
                }
            })
        };
        let mut threads = vec![spawn(plan), spawn(mail)];
        threads.extend((0..N_SENDERS).map(|_| spawn(send)));
        Self { end, threads }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end.come();
        for thread in self.threads.drain(..) {
            // A panic has been told by its thread.
            drop(thread.join());
        }
    }
}

fn plan(context: &Context, _: &End) {
    told(outbox::fill(context).map(drop), "what is to be sent was not put down");
    told(notices::plan(context), "whom to send mail was not written down");
}

fn send(context: &Context, end: &End) {
    while !end.is_near() {
        match sender::send_one(context) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return told(Err(error), "an event was not sent"),
        }
    }
}

fn mail(context: &Context, end: &End) {
    while !end.is_near() {
        match notices::send_one(context) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return told(Err(error), "a mail was not sent"),
        }
    }
    told(clear(context), "what was sent long ago was not removed");
}

fn told(done: Result<()>, what: &'static str) {
    if let Err(error) = done {
        tracing::warn!(code = error.code.as_str(), "{what}");
    }
}

/// Removes what was sent long ago, once in a while.
fn clear(context: &Context) -> Result<()> {
    let now = context.clock.now();
    let mut last = context.notifier.cleared_at.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_some_and(|last: DateTime<Utc>| now - last < CLEARING) {
        return Ok(());
    }
    *last = Some(now);
    drop(last);
    context.db.write_here(move |tx| Ok(outbox::clear(tx.conn, now)?)).map(drop)
}

/// Does at once all there is to do now; for tests and whoever has no time for threads.
///
/// # Errors
/// When the database fails.
pub fn run_once(context: &Context) -> Result<()> {
    outbox::fill(context)?;
    while sender::send_one(context)? {}
    notices::plan(context)?;
    while notices::send_one(context)? {}
    Ok(())
}
