//! What is kept in Secrets Manager: Twilio's credentials and the key under which calls are sealed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use partners::twilio::AccountSid;
use partners::twilio::signature::Keys;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::call::Sealer;
use crate::{Error, config};

/// After this a secret is read again: one that was rotated must not fail in a process that lives for hours.
const KEEP_FOR: SignedDuration = SignedDuration::from_mins(10);
/// A rotated secret is noticed at the first refused signature, but not looked for more often than this.
const LOOK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The secret as the operator stores it.
#[derive(Deserialize)]
struct Stored {
    account_sid: String,
    auth_token: String,
    /// Keys of `X-Twilio-Webhooks-Signature-Settings`, by id.
    #[serde(default)]
    shared_keys: BTreeMap<String, String>,
    /// Tokens that Twilio may still sign with during a rotation.
    #[serde(default)]
    previous_auth_tokens: Vec<String>,
    /// 64 random characters, made by `template.yaml`.
    call_state_key: String,
}

/// Twilio's credentials and what is derived from them.
pub struct Secrets {
    /// Checks webhooks.
    pub signing: Keys,
    /// Seals the state of calls.
    pub calls: Sealer,
    /// Whose webhooks these are.
    pub account_sid: AccountSid,
    auth_token: Zeroizing<String>,
}

impl Secrets {
    fn parse(json: &str) -> Result<Self, Error> {
        // The cause would quote the secret.
        let stored: Stored = serde_json::from_str(json).map_err(|_| Error::Failed {
            doing: "reading the Twilio secret",
            source: "it is not JSON with account_sid, auth_token and call_state_key: set it with `make secret`".into(),
        })?;
        let tokens = [vec![stored.auth_token.clone()], stored.previous_auth_tokens].concat();
        Ok(Self {
            signing: Keys::new(tokens, stored.shared_keys),
            calls: Sealer::new(&stored.call_state_key)?,
            account_sid: AccountSid::parse(&stored.account_sid)
                .map_err(Error::failed("reading the Twilio secret: account_sid"))?,
            auth_token: Zeroizing::new(stored.auth_token),
        })
    }

    /// For Twilio's REST API.
    #[must_use]
    pub fn auth_token(&self) -> &str {
        &self.auth_token
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// Reads the secret once, and again when a signature is refused that a rotated secret might accept.
#[derive(Debug)]
pub(crate) struct SecretStore {
    client: aws_sdk_secretsmanager::Client,
    arn: Option<String>,
    held: Mutex<Option<(Timestamp, Arc<Secrets>)>>,
}

impl SecretStore {
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, arn: Option<String>) -> Self {
        Self { client, arn, held: Mutex::default() }
    }

    pub(crate) async fn get(&self, now: Timestamp) -> Result<Arc<Secrets>, Error> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match held {
            Some((read, secrets)) if now.duration_since(read).abs() < KEEP_FOR => Ok(secrets),
            // What was good ten minutes ago is better than nothing.
            Some((_, secrets)) => Ok(self.fetch(now).await.unwrap_or(secrets)),
            None => self.fetch(now).await,
        }
    }

    /// The secret as it is now, unless it was read less than a minute ago: then nothing.
    pub(crate) async fn look_again(&self, now: Timestamp) -> Option<Arc<Secrets>> {
        let read = self.held.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(read, _)| *read);
        match read {
            Some(read) if now.duration_since(read).abs() < LOOK_AGAIN_AFTER => None,
            _ => self.fetch(now).await.ok(),
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Arc<Secrets>, Error> {
        let arn = config::required(self.arn.as_deref(), "TWILIO_SECRET is not set")?;
        let output = self
            .client
            .get_secret_value()
            .secret_id(arn)
            .send()
            .await
            .map_err(|error| Error::failed("reading the Twilio secret")(error.into_service_error()))?;
        let secrets = Arc::new(Secrets::parse(output.secret_string().unwrap_or_default())?);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&secrets)));
        Ok(secrets)
    }
}
