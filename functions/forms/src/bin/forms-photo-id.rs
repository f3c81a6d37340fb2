//! `GET /status/photo-id`, from the page of a request, and from S3 after an upload.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::door(forms::photo_id::handle)
}
