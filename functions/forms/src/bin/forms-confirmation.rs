//! `GET /forms/confirmation/{ticket}` and `POST` to the same, from whoever got the mail about their request.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(forms::confirmation::handle)
}
