//! Starts the application and speaks to it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot start must fail"
)]

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, ServiceConfig};
use chrono::{DateTime, TimeZone, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use sentinelle::app::{self, ServerOptions};
use sentinelle::auth::accounts::{add_device, add_token, add_user, invite};
use sentinelle::auth::types::{GrantScope, Role};
use sentinelle::clock::Clock;
use sentinelle::config::{NotifyConfig, PublicConfig, SearchConfig, SecurityContact, StoreConfig};
use sentinelle::context::Context;
use sentinelle::db::{Db, DbOptions};
use sentinelle::ids::UserId;
use sentinelle::notify::address::Network;
use sentinelle::taxonomy::catalogue::Taxonomy;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

/// The password of every person of a test.
pub(crate) const PASSWORD: &str = "gravel-otter-plain-nine";

/// What an authenticator program shows at `now`.
pub(crate) fn code_of(secret: &[u8], now: DateTime<Utc>) -> String {
    let secret = <[u8; 20]>::try_from(secret).expect("160 bits");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("a secret");
    totp.generate(now.timestamp().unsigned_abs()).to_string()
}

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Returns the bytes of a secret as people type it.
pub(crate) fn from_base32(text: &str) -> Vec<u8> {
    let value = |letter| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base32");
    let bits_of = |value: usize| (0..5).rev().map(move |shift| (value >> shift) & 1 == 1);
    let bits: Vec<bool> = text.chars().map(value).flat_map(bits_of).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| (byte << 1) | u8::from(*bit));
    bits.chunks_exact(8).map(byte).collect()
}

/// The application under test; stopped, and its database removed, when dropped.
pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) context: Data<Context>,
    pub(crate) database_url: String,
    pub(crate) folder: TempDir,
    now_ms: Arc<AtomicI64>,
    handle: ServerHandle,
    server: Option<JoinHandle<()>>,
    postgres: Option<PostgresDatabase>,
}

/// What a test may change about the application.
pub(crate) struct TestOptions {
    pub(crate) server: ServerOptions,
    pub(crate) batch_limit: Option<usize>,
    pub(crate) public: PublicConfig,
    pub(crate) notify: NotifyConfig,
    pub(crate) search: SearchConfig,
}

impl Default for TestOptions {
    fn default() -> Self {
        let contact = SecurityContact::parse("mailto:security@example.org").expect("a contact");
        let public = PublicConfig { public_url: None, security_contact: Some(contact) };
        Self {
            server: ServerOptions::default(),
            batch_limit: None,
            public,
            notify: lab(),
            search: SearchConfig::default(),
        }
    }
}

/// Lets webhooks go to receivers of the test.
fn lab() -> NotifyConfig {
    let loopback = Network::parse("127.0.0.0/8").expect("a network");
    NotifyConfig { webhook_allow: vec![loopback], ..NotifyConfig::default() }
}

impl TestApp {
    /// Starts the application at noon UTC of 1 April 2024.
    pub(crate) fn start() -> Self {
        Self::start_with(TestOptions::default())
    }

    pub(crate) fn start_with_routes(extra: fn(&mut ServiceConfig)) -> Self {
        Self::start_with(TestOptions {
            server: ServerOptions { extra, ..ServerOptions::default() },
            ..Default::default()
        })
    }

    pub(crate) fn start_with(options: TestOptions) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let postgres = PostgresDatabase::create_if_wanted(Start::WithTables);
        let database_url = postgres.as_ref().map_or_else(
            || sqlite_with_tables(&folder.path().join("sentinelle.db")),
            |database| database.url.clone(),
        );
        let noon = Utc.with_ymd_and_hms(2024, 4, 1, 12, 0, 0).single().expect("an instant");
        let now_ms = Arc::new(AtomicI64::new(noon.timestamp_millis()));
        let context = Data::new(open_context(&database_url, &folder, &now_ms, &options));
        let (url, handle, server) = spawn_server(context.clone(), options.server);
        Self { url, context, database_url, folder, now_ms, handle, server: Some(server), postgres }
    }

    /// Moves the application's clock.
    pub(crate) fn set_now(&self, rfc3339: &str) {
        let now = DateTime::parse_from_rfc3339(rfc3339).expect("an instant");
        self.now_ms.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// A new person with one role; scopes as in `user add`: `all`, `SLE,COD`, `region:west`.
    pub(crate) fn user(&self, role: Role, scope: &str) -> Client {
        self.user_with_id(role, scope).0
    }

    /// As [`TestApp::user`], with the id.
    pub(crate) fn user_with_id(&self, role: Role, scope: &str) -> (Client, UserId) {
        self.named_with_id(&Uuid::new_v4().to_string(), role, scope)
    }

    pub(crate) fn user_named(&self, name: &str, role: Role, scope: &str) -> Client {
        self.named_with_id(name, role, scope).0
    }

    fn named_with_id(&self, name: &str, role: Role, scope: &str) -> (Client, UserId) {
        let scopes =
            GrantScope::parse_list(scope, self.context.geo().countries()).expect("a scope");
        let id = add_user(&self.context, name, role, scopes).expect("a new user");
        (self.token_of(name), id)
    }

    /// The same person with a new token.
    pub(crate) fn token_of(&self, name: &str) -> Client {
        let token = add_token(&self.context, name, None).expect("a token");
        Client::new(&self.url, Some(token.expose()))
    }

    /// A new person with a password and no token; returns the name.
    pub(crate) fn person(&self, role: Role, scope: &str) -> String {
        let name = format!("Person {}", Uuid::new_v4());
        let scopes =
            GrantScope::parse_list(scope, self.context.geo().countries()).expect("a scope");
        add_user(&self.context, &name, role, scopes).expect("a new user");
        let link = self.invitation(&name);
        let body = json!({"token": link, "password": PASSWORD});
        self.anonymous().post("/v1/invitations/accept", &body).expect(200);
        name
    }

    /// A link by which the person of that name sets a password.
    pub(crate) fn invitation(&self, name: &str) -> String {
        let made = invite(&self.context, name, chrono::Duration::hours(1)).expect("a link");
        made.link.expose().to_owned()
    }

    /// Signs in without cookies.
    pub(crate) fn sign_in(&self, name: &str, code: Option<&str>) -> Answer {
        let body = json!({"name": name, "password": PASSWORD, "code": code, "cookie": false});
        self.anonymous().post("/v1/sessions", &body)
    }

    /// A new person with one role, signed in, with a second factor.
    pub(crate) fn session(&self, role: Role, scope: &str) -> Client {
        let name = self.person(role, scope);
        let begun = self.sign_in(&name, None).expect(201).json();
        let client = Client::new(&self.url, begun["session"].as_str());
        self.enrol(&client).0
    }

    /// Sets up a second factor in the session of `client`; returns the session that goes on, the secret and the recovery
    /// codes.
    pub(crate) fn enrol(&self, client: &Client) -> (Client, Vec<u8>, Vec<String>) {
        let begun = client.post("/v1/me/second-factor", &json!({"password": PASSWORD})).expect(200);
        let secret = from_base32(begun.json()["secret"].as_str().expect("a secret"));
        let code = code_of(&secret, self.context.clock.now());
        let done = client.put("/v1/me/second-factor", &json!({"code": code})).expect(200).json();
        let codes = done["recovery_codes"].as_array().expect("codes").iter();
        let codes = codes.map(|code| code.as_str().expect("a code").to_owned()).collect();
        (Client::new(&self.url, done["session"]["session"].as_str()), secret, codes)
    }

    /// A reviewer of every country.
    pub(crate) fn reviewer(&self) -> Client {
        self.user(Role::Reviewer, "all")
    }

    pub(crate) fn monitor(&self) -> Client {
        self.user(Role::Monitor, "SLE")
    }

    /// A new phone.
    pub(crate) fn device(&self, country: &str) -> Client {
        self.device_of(None, country)
    }

    /// A new phone of the person of that name.
    pub(crate) fn device_of(&self, owner: Option<&str>, country: &str) -> Client {
        let name = Uuid::new_v4().to_string();
        let added = add_device(&self.context, &name, country, owner, None);
        let (_, key) = added.expect("a new device");
        Client::new(&self.url, Some(key.expose()))
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// A further application on the same database, as a second server would be.
    pub(crate) fn second_server(&self) -> SecondServer {
        self.serve(&self.database_url)
    }

    /// An application on another database, with the same instance key and clock.
    pub(crate) fn serve(&self, database_url: &str) -> SecondServer {
        let options = TestOptions::default();
        let context = open_context(database_url, &self.folder, &self.now_ms, &options);
        Self::serve_context(context, options)
    }

    /// A further application on the same database, as one that was started with another taxonomy.
    pub(crate) fn serve_with_taxonomy(&self, taxonomy: Taxonomy) -> SecondServer {
        let options = TestOptions::default();
        let mut context = open_context(&self.database_url, &self.folder, &self.now_ms, &options);
        context.taxonomy = taxonomy;
        Self::serve_context(context, options)
    }

    fn serve_context(context: Context, options: TestOptions) -> SecondServer {
        let context = Data::new(context);
        let (url, handle, server) = spawn_server(context.clone(), options.server);
        SecondServer { url, context, handle, server: Some(server) }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        stop(&self.handle, self.server.take());
    }
}

/// A database without tables, on the engine under test; removed when dropped.
pub(crate) struct EmptyDatabase {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    _postgres: Option<PostgresDatabase>,
}

impl EmptyDatabase {
    pub(crate) fn new() -> Self {
        let postgres = PostgresDatabase::create_if_wanted(Start::Empty);
        let url = postgres.as_ref().map(|database| database.url.clone());
        let embedded = Self::embedded();
        Self { url: url.unwrap_or(embedded.url), folder: embedded.folder, _postgres: postgres }
    }

    /// A file, whichever engine is under test.
    pub(crate) fn embedded() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("sentinelle.db").display());
        Self { url, folder, _postgres: None }
    }
}

/// Another server on the database of a [`TestApp`].
pub(crate) struct SecondServer {
    pub(crate) url: String,
    pub(crate) context: Data<Context>,
    handle: ServerHandle,
    server: Option<JoinHandle<()>>,
}

impl Drop for SecondServer {
    fn drop(&mut self) {
        stop(&self.handle, self.server.take());
    }
}

fn stop(handle: &ServerHandle, server: Option<JoinHandle<()>>) {
    let stopping = handle.stop(false);
    let waited = std::thread::spawn(move || actix_web::rt::System::new().block_on(stopping)).join();
    assert!(waited.is_ok(), "the server stops");
    if let Some(server) = server {
        assert!(server.join().is_ok() || std::thread::panicking(), "the server thread ends");
    }
}

fn open_context(
    database_url: &str,
    folder: &TempDir,
    now_ms: &Arc<AtomicI64>,
    options: &TestOptions,
) -> Context {
    let store = StoreConfig {
        database_url: Some(database_url.to_owned()),
        public: options.public.clone(),
        notify: options.notify.clone(),
        search: options.search,
        ..StoreConfig::in_folder(folder.path())
    };
    let now_ms = Arc::clone(now_ms);
    let clock = Clock::given(move || {
        DateTime::from_timestamp_millis(now_ms.load(Ordering::Relaxed)).expect("an instant")
    });
    let mut db = DbOptions { n_readers: 4, ..DbOptions::new(database_url) };
    db.batch_limit = options.batch_limit.unwrap_or(db.batch_limit);
    let db = Db::open(&db).expect("the database opens");
    Context::with_db(db, &store, clock, &mut |_| {}).expect("the context opens")
}

fn spawn_server(
    context: Data<Context>,
    options: ServerOptions,
) -> (String, ServerHandle, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let options = ServerOptions { workers: options.workers.or(Some(2)), ..options };
    let (sender, receiver) = mpsc::channel();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server = app::serve(context, listener, &options).expect("the server starts");
            sender.send(server.handle()).expect("the test waits");
            server.await.expect("the server runs");
        });
    });
    let handle = receiver.recv().expect("the server starts");
    (url, handle, server)
}

/// What a test's database has at first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Nothing.
    Empty,
    /// What the migrations made, once for all tests.
    WithTables,
}

/// Puts a database with tables and nothing in them to `path`; returns its address.
fn sqlite_with_tables(path: &Path) -> String {
    static WITH_TABLES: OnceLock<Vec<u8>> = OnceLock::new();
    let model = WITH_TABLES.get_or_init(|| {
        let model = EmptyDatabase::embedded();
        drop(Db::open(&DbOptions::new(&model.url)).expect("the database opens"));
        let file = model.url.trim_start_matches("sqlite://");
        let whole = model.folder.path().join("whole.db");
        let mut conn = SqliteConnection::establish(file).expect("the database opens");
        // The last of the connections may just be closing.
        conn.batch_execute("PRAGMA busy_timeout = 10000").expect("a wait");
        conn.batch_execute(&format!("VACUUM INTO '{}'", whole.display())).expect("a whole file");
        std::fs::read(whole).expect("the database")
    });
    std::fs::write(path, model).expect("a new database");
    format!("sqlite://{}", path.display())
}

/// A database of its own on the server the environment names.
struct PostgresDatabase {
    admin_url: String,
    name: String,
    url: String,
}

impl PostgresDatabase {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test suite is told its server by the environment"
    )]
    fn create_if_wanted(start: Start) -> Option<Self> {
        static WITH_TABLES: OnceLock<PostgresDatabase> = OnceLock::new();
        let admin_url = std::env::var("SENTINELLE_TEST_POSTGRES_URL").ok()?;
        if start == Start::Empty {
            return Some(Self::create(admin_url, "TEMPLATE template1"));
        }
        let model = WITH_TABLES.get_or_init(|| {
            let model = Self::create(admin_url.clone(), "TEMPLATE template1");
            drop(Db::open(&DbOptions::new(&model.url)).expect("the database opens"));
            model
        });
        Some(Self::create(admin_url, &format!("TEMPLATE {} STRATEGY file_copy", model.name)))
    }

    fn create(admin_url: String, like: &str) -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut conn = PgConnection::establish(&admin_url).expect("the test server answers");
        conn.batch_execute(&format!("CREATE DATABASE {name} {like}")).expect("a new database");
        let (server, _) = admin_url.rsplit_once('/').expect("a database name in the address");
        Self { url: format!("{server}/{name}"), admin_url, name }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // A database left behind goes with the cluster.
        if let Ok(mut conn) = PgConnection::establish(&self.admin_url) {
            drop(
                conn.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)),
            );
        }
    }
}

/// Speaks to the application as one caller.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    token: Option<String>,
    agent: ureq::Agent,
}

/// What the application answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Fails unless the status is `right`; the failure shows the body.
    #[track_caller]
    pub(crate) fn expect(self, right: u16) -> Self {
        assert_eq!(self.status, right, "{}", self.text());
        self
    }

    /// Fails unless this is the problem `code` with `status`.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
        answer
    }

    /// JSON pointers of the fields a problem names.
    #[track_caller]
    pub(crate) fn pointers(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Client {
    pub(crate) fn new(url: &str, token: Option<&str>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let config = config.allow_non_standard_methods(true);
        Self {
            url: url.to_owned(),
            token: token.map(str::to_owned),
            agent: config.build().new_agent(),
        }
    }

    /// The same caller at another server.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            Some(body.to_string().as_bytes()),
        )
    }

    pub(crate) fn delete(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "DELETE",
            path,
            &[("content-type", "application/json")],
            Some(body.to_string().as_bytes()),
        )
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "PUT",
            path,
            &[("content-type", "application/json")],
            Some(body.to_string().as_bytes()),
        )
    }

    /// Deletes what needs no reason.
    pub(crate) fn remove(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None)
    }

    pub(crate) fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", path, headers, Some(body))
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends to a server that may be gone.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default().to_vec()).expect("a request");
        let mut response = self.agent.run(request)?;
        let body = response.body_mut().with_config().limit(256 * 1024 * 1024).read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// Submits a report and returns the answer's body.
    #[track_caller]
    pub(crate) fn submit(&self, report: &Value) -> Value {
        self.post("/v1/reports", report).expect(201).json()
    }

    /// Takes a decision on the version the incident has now.
    #[track_caller]
    pub(crate) fn decide(&self, incident: &Value, decision: &Value) -> Answer {
        let incident = incident.as_str().expect("an incident id");
        let path = format!("/v1/incidents/{incident}");
        let tag = self.get(&path).expect(200).header("etag").expect("an ETag").to_owned();
        let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
        self.send(
            "POST",
            &format!("{path}/decisions"),
            &headers,
            Some(decision.to_string().as_bytes()),
        )
    }

    /// Sets the status of an incident.
    #[track_caller]
    pub(crate) fn set_status(&self, incident: &Value, status: &str) {
        self.decide(incident, &json!({ "status": status, "reason": "for the test" })).expect(200);
    }
}

/// The twelve reports of March 2024 and the right totals.
pub(crate) fn march() -> Value {
    serde_json::from_str(include_str!("../data/fx.json")).expect("fx.json")
}

/// Submits the twelve reports and decides on them as `fx.json` says (R2 stays received); returns the submissions by key.
#[track_caller]
pub(crate) fn submit_march(monitor: &Client, reviewer: &Client) -> serde_json::Map<String, Value> {
    let mut submitted = serde_json::Map::new();
    for report in march()["reports"].as_array().expect("reports") {
        let (key, then) =
            (report["key"].as_str().expect("a key"), report["then"].as_str().expect("a state"));
        let answer = monitor.submit(&report["body"]);
        if ["verified", "rejected", "withdrawn"].contains(&then) {
            reviewer.set_status(&answer["incident"], then);
        }
        submitted.insert(key.to_owned(), answer);
    }
    submitted
}
