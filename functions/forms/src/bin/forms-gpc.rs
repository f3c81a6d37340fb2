//! `GET /.well-known/gpc.json`, from whoever asks if the preference signal is honoured.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::public(forms::gpc::handle)
}
