//! `GET /privacy-choices/{code}`, from the link "Your Privacy Choices" of a business's site; `POST`, from its own form.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::privacy_choices::handle)
}
