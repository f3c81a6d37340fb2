//! `GET and POST /dashboard/audit-export`, called by owners and managers.

use platform::edge::{self, Exit};

fn main() -> Exit {
    edge::page(dashboard::audit_export::handle)
}
