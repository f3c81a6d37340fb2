//! `GET /forms/{code}`, from a consumer who makes a request: on the hosted page, or inside the business's own site.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::form::handle)
}
