//! One JSON line per invocation, with names and counts and nothing personal.

/// Writes JSON lines to standard output, which Lambda takes to CloudWatch Logs.
pub(crate) fn start() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .finish();
    // A second call in the same process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
