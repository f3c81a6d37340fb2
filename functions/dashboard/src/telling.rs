//! Letters about what has happened. It has happened: a queue that fails takes nothing of it back, and must not keep from
//! somebody what cannot be shown to them twice.

use platform::App;
use platform::mail::Letter;

/// Has a letter written, if that can be done.
pub(crate) async fn letter(app: &App, letter: &Letter) {
    if let Err(error) = app.post(letter).await {
        tracing::error!(error = error.causes(), "a letter is not on its way");
    }
}
