//! Those whom Optline talks to: one module per partner, with that partner's own rules and test vectors.
//!
//! | module | partner | used for |
//! |---|---|---|
//! | [`stripe`] | Stripe Billing | billing tenants for what they used, exactly once |
//! | [`twilio`] | Twilio Programmable Voice | answering calls, checking who called us, fetching and deleting recordings |
//! | [`captcha`] | reCAPTCHA, Cloudflare Turnstile, hCaptcha | telling people from programs in a consumer's form |

mod address;
pub mod captcha;
pub mod stripe;
pub mod twilio;
