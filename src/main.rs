//! The `sentinelle` command.

fn main() -> std::process::ExitCode {
    sentinelle::cli::run()
}
