//! How AWS is reached: one HTTP client for all services, Amazon's own roots only, every call counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::config::Config;

/// The five roots under which every AWS endpoint is signed: <https://www.amazontrust.com/repository/>.
///
/// Loading the system's whole store instead costs 1 to 5 ms in every new process.
const AMAZON_ROOTS: &[u8] = include_bytes!("../data/amazon-roots.pem");

/// A caller on the telephone waits for us: give up on one try early enough to make two more.
const TRY_FOR: Duration = Duration::from_secs(2);

/// Counts of AWS calls since they were last [taken](Self::take), by `service:Operation`; tries that were retried count too.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<String, u32>>>);

impl Calls {
    /// The counts so far as `service:Operation=n`, separated by blanks; starts over at nothing.
    #[must_use]
    pub fn take(&self) -> String {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        counts.iter().fold(String::new(), |mut line, (call, n)| {
            let blank = if line.is_empty() { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = write!(line, "{blank}{call}={n}");
            line
        })
    }
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = bag.load::<Metadata>() {
            let call = format!("{}:{}", operation.service().to_lowercase(), operation.name());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
        }
        Ok(())
    }
}

/// What all clients share. Credentials are the ones that Lambda puts into the environment, good for the life of the process.
pub(crate) fn sdk(config: &Config) -> SdkConfig {
    let tls = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)).build();
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let http = match tls {
        Ok(tls) => http.tls_context(tls).build_https(),
        Err(_) => http.build_https(),
    };
    let mut sdk = SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50)))
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).operation_attempt_timeout(TRY_FOR).build(),
        )
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(aws_smithy_async::rt::sleep::TokioSleep::new()))
        .region(config.region.clone().map(Region::new));
    if let Some(credentials) = credentials() {
        sdk = sdk.credentials_provider(SharedCredentialsProvider::new(credentials));
    }
    sdk.set_endpoint_url(config.aws_endpoint.clone());
    sdk.build()
}

/// For six minutes of sound rather than a few items.
pub(crate) fn patient() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(15))
        .build()
}

/// The credentials of this function's role, as Lambda puts them into the environment.
pub(crate) fn credentials() -> Option<Credentials> {
    #[expect(clippy::disallowed_methods, reason = "credentials stay out of Config, which is Debug")]
    let read = |name: &str| std::env::var(name).ok();
    Some(Credentials::new(
        read("AWS_ACCESS_KEY_ID")?,
        read("AWS_SECRET_ACCESS_KEY")?,
        read("AWS_SESSION_TOKEN"),
        None,
        "lambda",
    ))
}
