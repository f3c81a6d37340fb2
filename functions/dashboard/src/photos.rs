//! Photos of identity documents: they are there to verify, and go when that ends (11 CCR 7060(d)).

use domain::audit::Act;
use domain::desk::Decided;
use domain::request::State;
use platform::App;
use platform::edge::Visit;
use platform::session::{Allowed, WorkRequests};
use platform::store::Dossier;

use crate::case;

/// Whether a decision ends the verification of a request that has photos.
fn end(dossier: &Dossier, decided: &Decided) -> bool {
    let (before, after) = (dossier.progress.state, decided.progress.state);
    before == State::Verifying && after != State::Verifying && !dossier.photos.is_empty()
}

/// Deletes the photos of a request whose verification a decision has just ended. With the decision the request has let go of
/// them, and nobody can open them any more.
pub(crate) async fn delete(
    app: &App,
    allowed: &Allowed<WorkRequests>,
    visit: &Visit,
    dossier: &Dossier,
    decided: &Decided,
) {
    if !end(dossier, decided) {
        return;
    }
    let entry = case::entry(allowed, visit, Act::PhotoIdDeleted, &dossier.reference);
    app.delete_photos(&allowed.tenant, &dossier.photos, entry).await;
}

#[cfg(test)]
mod tests {
    use domain::desk::{self, Decision};
    use domain::request::{Actor, Kind};
    use platform::store::Photo;

    use super::*;
    use crate::case::tests::case as a_case;

    const NOW: &str = "2026-11-20T18:00:00Z";

    #[test]
    fn photos_go_with_every_decision_after_which_nobody_verifies() {
        let mut case = a_case(Kind::Delete, NOW);
        case.dossier.progress.state = State::Verifying;
        case.standing.progress.state = State::Verifying;
        let at = NOW.parse().unwrap();
        let decided = |case: &case::Case, decision: &Decision| {
            desk::decide(&case.standing, decision, Actor::Consumer, at).unwrap()
        };
        let reviewed = Decision::Review { identity: "It matched.".into(), why: String::new() };
        let withdrawn = Decision::Withdraw { how: "By mail.".into() };
        let assigned = Decision::Assign { to: None };
        assert!(!end(&case.dossier, &decided(&case, &reviewed)), "there are none");
        case.dossier.photos.push(Photo { id: "x".repeat(43), at });
        assert!(end(&case.dossier, &decided(&case, &reviewed)));
        assert!(end(&case.dossier, &decided(&case, &withdrawn)));
        assert!(!end(&case.dossier, &decided(&case, &assigned)));
    }
}
