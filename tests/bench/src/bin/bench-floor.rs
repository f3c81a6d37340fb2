//! The floor: the least that a Rust function on Lambda can be. Every figure of the bench is read against it.

use std::convert::Infallible;

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: Request| async { Ok::<_, Infallible>("hello") })).await
}
