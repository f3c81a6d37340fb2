//! What is kept in Secrets Manager: Twilio's credentials and the key under which calls are sealed, and Stripe's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use domain::billing::Meter;
use jiff::{SignedDuration, Timestamp};
use partners::stripe::{MeterId, signature as stripe};
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

/// Stripe's secret as the operator stores it.
///
/// ```json
/// {"secret_key": "rk_live_…", "webhook_secrets": ["whsec_…"],
///  "meters": {"calls": {"event_name": "optline_calls", "id": "mtr_…"},
///             "minutes": {"event_name": "optline_minutes", "id": "mtr_…"}}}
/// ```
///
/// `template.yaml` makes it empty, which is an account that bills nobody. Another meter takes the place of one only where
/// nothing waits to be confirmed: what was sent is looked for under the id that is here.
#[derive(Deserialize)]
struct StoredStripe {
    secret_key: String,
    /// The endpoint's secret, and during a change the one of before.
    webhook_secrets: Vec<String>,
    meters: BTreeMap<Meter, MeterSetup>,
}

/// A meter as it is set up at Stripe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MeterSetup {
    /// What events call it by.
    pub event_name: String,
    /// What its summaries are found by.
    pub id: MeterId,
}

/// Stripe's credentials and what is set up there.
pub struct StripeSecrets {
    /// Checks webhooks.
    pub webhooks: stripe::Secrets,
    meters: BTreeMap<Meter, MeterSetup>,
    secret_key: Zeroizing<String>,
}

impl StripeSecrets {
    /// A meter, if it is set up.
    #[must_use]
    pub fn meter(&self, meter: Meter) -> Option<&MeterSetup> {
        self.meters.get(&meter)
    }

    /// Whether anything can be billed: with a key and all meters.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        !self.secret_key.is_empty() && Meter::ALL.iter().all(|meter| self.meters.contains_key(meter))
    }

    /// For Stripe's API.
    pub(crate) fn secret_key(&self) -> &str {
        &self.secret_key
    }
}

impl fmt::Debug for StripeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeSecrets").field("meters", &self.meters).finish_non_exhaustive()
    }
}

/// What a secret holds.
pub(crate) trait Held: Sized {
    /// What is missing where the variable with its ARN is.
    const NOT_SET: &'static str;
    /// What is being done while it is read.
    const READING: &'static str;

    fn parse(json: &str) -> Result<Self, Error>;
}

impl Held for Secrets {
    const NOT_SET: &'static str = "TWILIO_SECRET is not set";
    const READING: &'static str = "reading the Twilio secret";

    fn parse(json: &str) -> Result<Self, Error> {
        Self::parse(json)
    }
}

impl Held for StripeSecrets {
    const NOT_SET: &'static str = "STRIPE_SECRET is not set";
    const READING: &'static str = "reading the Stripe secret";

    fn parse(json: &str) -> Result<Self, Error> {
        // The cause would quote the secret.
        let stored: StoredStripe = serde_json::from_str(json).map_err(|_| Error::Failed {
            doing: Self::READING,
            source: "it is not JSON with secret_key, webhook_secrets and meters: set it with `make secret`".into(),
        })?;
        Ok(Self {
            webhooks: stripe::Secrets::new(stored.webhook_secrets),
            meters: stored.meters,
            secret_key: Zeroizing::new(stored.secret_key),
        })
    }
}

/// Reads the secret once, and again when a signature is refused that a rotated secret might accept.
#[derive(Debug)]
pub(crate) struct SecretStore<T> {
    client: aws_sdk_secretsmanager::Client,
    arn: Option<String>,
    held: Mutex<Option<(Timestamp, Arc<T>)>>,
}

impl<T: Held> SecretStore<T> {
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, arn: Option<String>) -> Self {
        Self { client, arn, held: Mutex::default() }
    }

    pub(crate) async fn get(&self, now: Timestamp) -> Result<Arc<T>, Error> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match held {
            Some((read, secrets)) if now.duration_since(read).abs() < KEEP_FOR => Ok(secrets),
            // What was good ten minutes ago is better than nothing.
            Some((_, secrets)) => Ok(self.fetch(now).await.unwrap_or(secrets)),
            None => self.fetch(now).await,
        }
    }

    /// The secret as it is now, unless it was read less than a minute ago: then nothing.
    pub(crate) async fn look_again(&self, now: Timestamp) -> Option<Arc<T>> {
        let read = self.held.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(read, _)| *read);
        match read {
            Some(read) if now.duration_since(read).abs() < LOOK_AGAIN_AFTER => None,
            _ => self.fetch(now).await.ok(),
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Arc<T>, Error> {
        let arn = config::required(self.arn.as_deref(), T::NOT_SET)?;
        let output = self
            .client
            .get_secret_value()
            .secret_id(arn)
            .send()
            .await
            .map_err(|error| Error::failed(T::READING)(error.into_service_error()))?;
        let secrets = Arc::new(T::parse(output.secret_string().unwrap_or_default())?);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&secrets)));
        Ok(secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_stripe_secret_is_an_account_that_bills_nobody() {
        let read = |json: &str| <StripeSecrets as Held>::parse(json);
        let empty = read(r#"{"secret_key":"","webhook_secrets":[],"meters":{}}"#).unwrap();
        assert!(!empty.is_set_up());
        let full = r#"{"secret_key":"rk_test_1","webhook_secrets":["whsec_1"],"meters":{
            "calls":{"event_name":"optline_calls","id":"mtr_1"},"minutes":{"event_name":"optline_minutes","id":"mtr_2"}}}"#;
        let full = read(full).unwrap();
        assert!(full.is_set_up());
        assert_eq!(full.meter(Meter::Minutes).unwrap().id.as_str(), "mtr_2");
        assert!(!format!("{full:?}").contains("rk_test_1"));
        let error = read(r#"{"secret_key":"rk_test_1"}"#).unwrap_err().causes();
        assert!(error.contains("make secret") && !error.contains("rk_test_1"), "{error}");
    }
}
