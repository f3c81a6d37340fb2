//! `GET` and `POST /dashboard/second-factor`, called by a browser and its script, after the password.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(dashboard::second_factor::handle)
}
