//! Settings, and the one place that reads the environment (through `clap`).

use std::path::PathBuf;

use clap::Args;

/// Where the data is and which key opens it; shared by every command.
#[derive(Debug, Clone, Args)]
pub struct StoreConfig {
    /// Folder for the embedded database and, unless told otherwise, the key.
    #[arg(long, env = "SENTINELLE_DATA_DIR", default_value = "data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://USER@HOST/NAME`; without it, an embedded database in the data folder.
    #[arg(long, env = "SENTINELLE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// File with the instance key. Without it, `instance.key` in the data folder, made on the first start.
    #[arg(long, env = "SENTINELLE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The instance key itself, for places that hand secrets to a process by the environment.
    #[arg(long = "key", env = "SENTINELLE_KEY", hide = true, hide_env_values = true)]
    pub key_text: Option<String>,
    /// Folder of systemd credentials; the key is its file `sentinelle.key`.
    #[arg(long, env = "CREDENTIALS_DIRECTORY", hide = true)]
    pub credentials_dir: Option<PathBuf>,
}

impl StoreConfig {
    /// Returns the address of the database.
    pub fn url(&self) -> String {
        let embedded = || format!("sqlite://{}", self.data_dir.join("sentinelle.db").display());
        self.database_url.clone().unwrap_or_else(embedded)
    }
}

/// How the service listens.
#[derive(Debug, Clone, Args)]
pub struct ServeConfig {
    /// Address and port; port 0 takes a free one.
    #[arg(
        long,
        env = "SENTINELLE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR:PORT"
    )]
    pub listen: String,
    /// Worker threads; by default one a core.
    #[arg(long, env = "SENTINELLE_WORKERS", value_name = "N")]
    pub workers: Option<usize>,
}
