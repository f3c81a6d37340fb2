//! The partner stand-ins as one server on loopback: `standins --port 4580 --twilio-credentials FILE`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Parser};
use standins::twilio::{Account, Credentials};

/// Stand-ins for Optline's partners (Twilio's REST API, the human checks' providers), on 127.0.0.1 only.
#[derive(Parser)]
#[command(group(ArgGroup::new("twilio").required(true).args(["twilio_credentials", "twilio_account_sid"])))]
struct Options {
    /// Port to listen on
    #[arg(long, default_value_t = 4580)]
    port: u16,
    /// JSON file with `account_sid` and `auth_token`; read at every request, so it may come later
    #[arg(long, value_name = "FILE")]
    twilio_credentials: Option<PathBuf>,
    /// The local cloud's `stack.json`, for the shop and the mailbox; read at every request, so it may come later
    #[arg(long, value_name = "FILE", default_value = "target/local/stack.json")]
    stack: PathBuf,
    /// Account SID, instead of a file
    #[arg(long, value_name = "AC…", requires = "twilio_auth_token")]
    twilio_account_sid: Option<String>,
    /// Authentication token, instead of a file
    #[arg(long, value_name = "TOKEN")]
    twilio_auth_token: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let account = options.twilio_account_sid.zip(options.twilio_auth_token);
    let credentials = match (account, options.twilio_credentials) {
        (Some((account_sid, auth_token)), _) => Credentials::Given(Account { account_sid, auth_token }),
        (None, file) => Credentials::File(file.unwrap_or_default()),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(why) => {
            eprintln!(
                "standins: cannot listen on {address}: {why}. Stop what uses the port, or choose another with --port."
            );
            return ExitCode::FAILURE;
        }
    };
    println!("The partner stand-ins listen on http://{address} (open it to see what they were sent).");
    match axum::serve(listener, standins::app(credentials).merge(standins::town::town(options.stack))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("standins: {why}");
            ExitCode::FAILURE
        }
    }
}
