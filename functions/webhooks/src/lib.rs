//! What partners report by themselves, beside the calls.
//!
//! | function | route | does |
//! |---|---|---|
//! | [`stripe`] | `POST /webhooks/stripe` | takes back what Stripe refused after it had said 200 |

pub mod stripe;
