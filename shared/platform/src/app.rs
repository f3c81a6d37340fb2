//! What a handler is given.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use partners::captcha;
use partners::stripe;
use partners::twilio::rest;

use crate::Error;
use crate::aws::{self, Calls};
use crate::blob::Blobs;
use crate::clock::Clock;
use crate::config::{Config, required};
use crate::mail::Mailer;
use crate::queue::Queues;
use crate::secrets::{SecretStore, Secrets, StripeSecrets};
use crate::store::Store;
use crate::tenant::{Tenant, TenantId};
use crate::text::Texter;
use crate::ticket::{TicketStore, Tickets};

/// Lambda's init phase has ten seconds; a caller has less patience.
const WARM_WITHIN: Duration = Duration::from_millis(1500);

/// Clients and settings, made once per process and shared by all its invocations.
pub struct App {
    /// The environment.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// Tenants' data.
    pub store: Store,
    /// Work for later.
    pub queues: Queues,
    /// Audio.
    pub blobs: Blobs,
    /// AWS calls since the last look.
    pub calls: Calls,
    /// Mail.
    pub mail: Mailer,
    /// Text messages.
    pub text: Texter,
    secrets: SecretStore<Secrets>,
    stripe_secrets: SecretStore<StripeSecrets>,
    tickets: TicketStore,
    /// Twilio's client, with the secret that it was made from.
    twilio: Mutex<Option<(Arc<Secrets>, Arc<rest::Client>)>>,
    /// Stripe's, likewise.
    stripe: Mutex<Option<(Arc<StripeSecrets>, Arc<stripe::rest::Client>)>>,
    captcha: OnceLock<captcha::Client>,
    /// The tenant of the invocation at hand, for its line in the log.
    tenant: Mutex<Option<TenantId>>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}

impl App {
    /// From the environment and the system's clock. Talks to nobody yet.
    #[must_use]
    pub fn new(config: Config, clock: Clock) -> Self {
        let (sdk, calls) = (aws::sdk(&config), Calls::default());
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk).interceptor(calls.clone()).build();
        let kms = aws_sdk_kms::config::Builder::from(&sdk).interceptor(calls.clone()).build();
        // Path style only where one address serves all buckets: the local cloud.
        let s3 = aws_sdk_s3::config::Builder::from(&sdk)
            .interceptor(calls.clone())
            .force_path_style(config.aws_endpoint.is_some())
            .timeout_config(aws::patient())
            .build();
        // A mail that was taken and not answered for would be sent again: what is tried again is for its queue to say.
        let once = aws_sdk_sesv2::config::retry::RetryConfig::disabled();
        let ses = aws_sdk_sesv2::config::Builder::from(&sdk).interceptor(calls.clone()).retry_config(once).build();
        let secrets = aws_sdk_secretsmanager::config::Builder::from(&sdk).interceptor(calls.clone()).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&sdk).interceptor(calls.clone()).build();
        let sns = aws_sdk_sns::config::Builder::from(&sdk).interceptor(calls.clone()).build();
        let secrets = aws_sdk_secretsmanager::Client::from_conf(secrets);
        Self {
            mail: Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), &config),
            text: Texter::new(aws_sdk_sns::Client::from_conf(sns), &config),
            store: Store::new(
                aws_sdk_dynamodb::Client::from_conf(dynamodb),
                aws_sdk_kms::Client::from_conf(kms),
                &config,
                clock,
            ),
            queues: Queues::new(aws_sdk_sqs::Client::from_conf(sqs), &config),
            blobs: Blobs::new(aws_sdk_s3::Client::from_conf(s3), &config),
            tickets: TicketStore::new(secrets.clone(), config.dashboard_secret.clone()),
            stripe_secrets: SecretStore::new(secrets.clone(), config.stripe_secret.clone()),
            secrets: SecretStore::new(secrets, config.twilio_secret.clone()),
            twilio: Mutex::default(),
            stripe: Mutex::default(),
            captcha: OnceLock::new(),
            tenant: Mutex::default(),
            calls,
            clock,
            config,
        }
    }

    /// Twilio's credentials and the calls' key.
    pub async fn secrets(&self) -> Result<Arc<Secrets>, Error> {
        self.secrets.get(self.clock.now()).await
    }

    /// What seals tickets and makes codes for forms.
    pub async fn tickets(&self) -> Result<Arc<Tickets>, Error> {
        self.tickets.get(self.clock.now()).await
    }

    /// The secret as it is now, if it may have been rotated since it was read.
    pub(crate) async fn secrets_again(&self) -> Option<Arc<Secrets>> {
        self.secrets.look_again(self.clock.now()).await
    }

    /// Twilio's REST API, with the credentials as they are now.
    pub async fn twilio(&self) -> Result<Arc<rest::Client>, Error> {
        let secrets = self.secrets().await?;
        let mut held = self.twilio.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_from, client)) = held.as_ref()
            && Arc::ptr_eq(made_from, &secrets)
        {
            return Ok(Arc::clone(client));
        }
        let base_url = required(self.config.twilio_base_url.as_deref(), "TWILIO_BASE_URL is not set")?;
        let client = rest::Client::new(base_url, secrets.account_sid.clone(), secrets.auth_token().to_owned())
            .map_err(Error::failed("preparing Twilio's client"))?;
        let client = Arc::new(client);
        *held = Some((secrets, Arc::clone(&client)));
        Ok(client)
    }

    /// Stripe's credentials and what is set up there.
    pub async fn stripe_secrets(&self) -> Result<Arc<StripeSecrets>, Error> {
        self.stripe_secrets.get(self.clock.now()).await
    }

    /// The secret as it is now, if it may have been rotated since it was read.
    pub(crate) async fn stripe_secrets_again(&self) -> Option<Arc<StripeSecrets>> {
        self.stripe_secrets.look_again(self.clock.now()).await
    }

    /// Stripe's API, with the key as it is now.
    pub async fn stripe(&self) -> Result<Arc<stripe::rest::Client>, Error> {
        let secrets = self.stripe_secrets().await?;
        let mut held = self.stripe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_from, client)) = held.as_ref()
            && Arc::ptr_eq(made_from, &secrets)
        {
            return Ok(Arc::clone(client));
        }
        let base_url = required(self.config.stripe_base_url.as_deref(), "STRIPE_BASE_URL is not set")?;
        let client = stripe::rest::Client::new(base_url, secrets.secret_key().to_owned())
            .map_err(Error::failed("preparing Stripe's client"))?;
        let client = Arc::new(client);
        *held = Some((secrets, Arc::clone(&client)));
        Ok(client)
    }

    /// Those who tell people from programs.
    pub fn captcha(&self) -> Result<&captcha::Client, Error> {
        if let Some(client) = self.captcha.get() {
            return Ok(client);
        }
        let base = captcha::Base::new(self.config.captcha_base_url.as_deref())
            .map_err(Error::failed("preparing the human check's client"))?;
        Ok(self.captcha.get_or_init(|| captcha::Client::new(base)))
    }

    /// Says whom the invocation is about, for its line in the log.
    pub fn about(&self, tenant: &Tenant) {
        *self.tenant.lock().unwrap_or_else(PoisonError::into_inner) = Some(tenant.id().clone());
    }

    /// Whom the invocation was about.
    pub(crate) fn take_tenant(&self) -> Option<TenantId> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Makes each connection that this function will need, while the init phase still has a full CPU: what the
    /// environment names is what it uses. A failure shows at the first use, with its context.
    pub async fn warm(&self) {
        let mut waiting = vec![];
        if self.config.twilio_secret.is_some() {
            waiting.push(async { drop(self.secrets().await) }.boxed_local());
        }
        if self.config.stripe_secret.is_some() {
            waiting.push(async { drop(self.stripe_secrets().await) }.boxed_local());
        }
        if self.config.dashboard_secret.is_some() {
            waiting.push(async { drop(self.tickets().await) }.boxed_local());
        }
        waiting.push(self.store.warm().boxed_local());
        waiting.push(self.queues.warm().boxed_local());
        waiting.push(self.blobs.warm().boxed_local());
        // A service that hangs now may answer later; the first caller must not pay with the whole init phase.
        let _ = tokio::time::timeout(WARM_WITHIN, join_all(waiting)).await;
        // What was done to get warm is not the first caller's.
        drop(self.calls.take());
    }
}
