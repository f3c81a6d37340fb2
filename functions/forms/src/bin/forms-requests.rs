//! `POST /forms/{code}/requests`, from the form and from sites that the business lists; `OPTIONS`, from browsers there.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::requests::handle)
}
