//! Where the hotline is: the part of `target/local/stack.json` that a telephone needs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

/// What `make up` wrote about the running hotline. Fields that a telephone does not need are ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stack {
    /// The public address: what is signed, and what is sent as `Host`.
    pub base_url: Url,
    /// `host:port` that answers for [`Stack::base_url`], on this machine.
    pub connect_to: String,
    /// The account and its number.
    pub twilio: Account,
    /// What a number at Twilio has configured.
    pub voice: VoiceUrls,
    /// The partner stand-ins by name.
    #[serde(default)]
    pub standins: Standins,
    /// The numbers that reach the hotline.
    #[serde(default)]
    pub numbers: Vec<Number>,
    /// The businesses served.
    #[serde(default)]
    pub tenants: Vec<Tenant>,
}

/// A Twilio account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// `AC` and 32 hex digits.
    pub account_sid: String,
    /// What webhooks are signed with.
    pub auth_token: String,
    /// The shared number.
    pub number: String,
    /// Where Twilio's REST API is; recordings have their address there.
    pub api_base_url: Url,
}

/// The addresses configured on every number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VoiceUrls {
    /// VoiceUrl: asked for the first document.
    pub answer: Url,
    /// VoiceFallbackUrl: asked when another fails.
    #[serde(default)]
    pub fallback: Option<Url>,
    /// StatusCallback: told that the call has ended.
    #[serde(default)]
    pub call_status: Option<Url>,
}

/// Where the partner stand-ins are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Standins {
    /// Twilio's REST API. Without it recordings get an identifier but can be fetched nowhere.
    #[serde(default)]
    pub twilio: Option<Url>,
    /// Those who tell people from programs.
    #[serde(default)]
    pub captcha: Option<Url>,
}

/// A number that reaches the hotline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Number {
    /// In E.164.
    pub number: String,
    /// `shared` or `dedicated`.
    pub kind: String,
    /// The service code of a dedicated number.
    #[serde(default)]
    pub service_code: Option<String>,
}

/// A business served.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// Its service codes.
    #[serde(default)]
    pub service_codes: Vec<ServiceCode>,
}

/// A service code as callers key it in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceCode {
    /// 1 to 8 digits.
    pub code: String,
    /// What it stands for.
    pub name: String,
    /// Languages offered, by code.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Request kinds offered, by code.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// Why there is no usable description of the hotline.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}. Start the hotline with `make up`, or name the file with --stack", path = .path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what `make up` writes.
    #[error("{path} is not a description of the hotline: {source}. Write it anew with `make up`", path = .path.display())]
    Unreadable {
        /// The file read.
        path: PathBuf,
        /// Where it fails.
        source: serde_json::Error,
    },
    /// The telephone reaches only this machine.
    #[error("`{0}` is not an address on this machine: the telephone connects to loopback only")]
    NotLoopback(String),
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Stack {
    /// Reads `stack.json`.
    pub fn read(path: impl AsRef<Path>) -> Result<Stack, StackError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|source| StackError::Missing { path: path.into(), source })?;
        serde_json::from_slice(&text).map_err(|source| StackError::Unreadable { path: path.into(), source })
    }

    /// The first service code of the first business that has one.
    #[must_use]
    pub fn first_service_code(&self) -> Option<&ServiceCode> {
        self.tenants.iter().find_map(|tenant| tenant.service_codes.first())
    }
}
