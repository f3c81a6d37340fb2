//! What each function may do, and that it may not do what its neighbour does.

use std::collections::{BTreeMap, BTreeSet};

use tests::Hotline;

/// Actions on a resource.
type May = (&'static str, &'static [&'static str]);

/// What each function may do, by resource. `recordings/*` are objects in the bucket, `greetings/greetings/*` those under
/// that prefix.
const ALLOWED: &[(&str, &[May])] = &[
    ("voice-answer", &[("secret", READ_SECRET), ("directory", &["GetItem"])]),
    ("voice-language", &[("secret", READ_SECRET)]),
    (
        "voice-service-code",
        &[("secret", READ_SECRET), ("directory", &["GetItem", "PutItem"]), ("accounts", &["BatchGetItem"])],
    ),
    ("voice-greeting", &[("greetings/greetings/*", &["GetObject"])]),
    ("voice-request-kind", &[("secret", READ_SECRET)]),
    ("voice-contact", BEGIN_REQUEST),
    ("voice-name", &[("secret", READ_SECRET), ("requests", &["UpdateItem"])]),
    (
        "voice-details",
        &[
            ("secret", READ_SECRET),
            ("requests", &["GetItem", "PutItem", "UpdateItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    ("voice-review", &[("secret", READ_SECRET)]),
    ("voice-submit", &[("secret", READ_SECRET), ("requests", &["GetItem", "UpdateItem"])]),
    ("voice-status", &[("secret", READ_SECRET), ("requests", &["GetItem"])]),
    ("voice-recording", &[("secret", READ_SECRET), ("recordings-queue", SEND)]),
    ("voice-transcription", &[("secret", READ_SECRET), ("transcripts-queue", SEND)]),
    ("voice-call-status", &[("secret", READ_SECRET), ("usage-queue", SEND)]),
    ("voice-fallback", &[("secret", READ_SECRET)]),
    (
        "jobs-record-usage",
        &[
            ("directory", &["GetItem", "PutItem"]),
            ("usage", &["GetItem", "PutItem", "UpdateItem"]),
            ("agenda", &["UpdateItem"]),
            ("usage-queue", RECEIVE),
            ("usage-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-store-recording",
        &[
            ("secret", READ_SECRET),
            ("directory", &["GetItem"]),
            ("accounts", &["BatchGetItem"]),
            ("keys", &["Query", "PutItem"]),
            ("requests", &["GetItem", "PutItem", "UpdateItem"]),
            ("key", &["Decrypt"]),
            ("recordings/*", &["GetObject", "PutObject"]),
            ("recordings-queue", &["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "SendMessage"]),
            ("recordings-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-store-transcript",
        &[
            ("secret", READ_SECRET),
            ("directory", &["GetItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
            ("recordings/*", &["GetObject", "PutObject"]),
            ("transcripts-queue", RECEIVE),
            ("transcripts-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-provision-tenant",
        &[
            ("directory", &["GetItem", "PutItem"]),
            ("accounts", &["GetItem", "PutItem", "UpdateItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt", "GenerateDataKeyWithoutPlaintext"]),
            ("sessions", &["PutItem"]),
            ("audit", &["PutItem"]),
            ("agenda", &["UpdateItem"]),
            ("dashboard-secret", READ_SECRET),
            ("mail-queue", SEND),
        ],
    ),
    (
        "jobs-close-usage-day",
        &[
            ("directory", &["GetItem"]),
            ("agenda", &["Query"]),
            ("runs", &["PutItem"]),
            ("push-usage-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-push-usage",
        &[
            ("stripe-secret", READ_SECRET),
            ("accounts", &["GetItem"]),
            ("usage", &["GetItem", "Query", "PutItem", "UpdateItem", "ConditionCheckItem"]),
            ("agenda", &["GetItem", "UpdateItem", "DeleteItem"]),
            ("runs", &["UpdateItem"]),
            ("push-usage-queue", RECEIVE),
            ("push-usage-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "webhooks-stripe",
        &[
            ("stripe-secret", READ_SECRET),
            ("usage", &["GetItem", "PutItem"]),
            ("agenda", &["UpdateItem"]),
            ("sessions", &["GetItem", "PutItem"]),
        ],
    ),
    (
        "jobs-plan",
        &[
            ("directory", &["GetItem"]),
            ("agenda", &["Query"]),
            ("runs", &["PutItem"]),
            ("reconcile-usage-queue", &["SendMessage"]),
            ("send-reports-queue", &["SendMessage"]),
            ("send-reminders-queue", &["SendMessage"]),
            ("send-alerts-queue", &["SendMessage"]),
            ("retention-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-retention",
        &[
            ("accounts", &["GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"]),
            ("directory", &["DeleteItem"]),
            ("sessions", &["UpdateItem"]),
            ("tallies", &["Query", "DeleteItem"]),
            ("dashboard-secret", READ_SECRET),
            ("mail-queue", SEND),
            ("requests", &["GetItem", "Query", "UpdateItem", "DeleteItem"]),
            ("requests/closed-by-day", &["Query"]),
            ("requests/open-by-due", &["Query"]),
            ("audit", &["PutItem"]),
            ("agenda", &["GetItem", "Query", "UpdateItem", "DeleteItem"]),
            ("runs", &["UpdateItem"]),
            ("keys", &["Query", "DeleteItem"]),
            ("key", &["Decrypt"]),
            ("recordings-bucket", &["ListBucketVersions"]),
            ("recordings/*", &["DeleteObjectVersion"]),
            ("recordings/attachments/*", &["DeleteObjectVersion"]),
            ("recordings/identity/*", &["DeleteObjectVersion"]),
            ("greetings-bucket", &["ListBucketVersions"]),
            ("greetings/greetings/*", &["DeleteObjectVersion"]),
            ("retention-queue", RECEIVE),
            ("retention-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-close-account",
        &[
            ("directory", &["GetItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("agenda", &["UpdateItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    ("jobs-runs", &[("runs", &["Query"])]),
    ("jobs-watch-requests", &[("agenda", &["Query", "PutItem", "UpdateItem"]), ("watch-dead-queue", &["SendMessage"])]),
    (
        "jobs-send-reminders",
        &[
            ("agenda", &["GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"]),
            ("runs", &["UpdateItem"]),
            ("accounts", &["GetItem", "Query"]),
            ("requests/open-by-due", &["Query"]),
            ("requests", &["BatchGetItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("dashboard-secret", READ_SECRET),
            ("mail-queue", SEND),
            ("send-reminders-queue", RECEIVE),
            ("send-reminders-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-send-alerts",
        &[
            ("agenda", &["GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"]),
            ("runs", &["UpdateItem"]),
            ("accounts", &["GetItem", "Query"]),
            ("requests", &["BatchGetItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("dashboard-secret", READ_SECRET),
            ("mail-queue", SEND),
            ("send-alerts-queue", RECEIVE),
            ("send-alerts-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-send-mail",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("directory", &["GetItem"]),
            ("accounts", &["GetItem", "BatchGetItem", "Query"]),
            ("requests", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("mail-from", &["SendEmail"]),
            ("mail-queue", RECEIVE),
            ("mail-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-mail-feedback",
        &[
            ("dashboard-secret", READ_SECRET),
            ("directory", &["GetItem"]),
            ("requests", &["GetItem", "UpdateItem"]),
            ("accounts", &["UpdateItem"]),
            ("sessions", &["PutItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-feedback-queue", RECEIVE),
            ("mail-feedback-dead-queue", &["SendMessage"]),
        ],
    ),
    (
        "jobs-send-reports",
        &[
            ("dashboard-secret", READ_SECRET),
            ("accounts", &["GetItem", "Query"]),
            ("sessions", &["UpdateItem"]),
            ("tallies", &["Query"]),
            ("agenda", &["GetItem", "UpdateItem", "DeleteItem"]),
            ("runs", &["UpdateItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-from", &["SendEmail"]),
            ("send-reports-queue", RECEIVE),
            ("send-reports-dead-queue", &["SendMessage"]),
        ],
    ),
    // What consumers meet on the web.
    (
        "forms-form",
        &[
            ("dashboard-secret", READ_SECRET),
            ("directory", &["GetItem"]),
            ("accounts", &["BatchGetItem"]),
            ("requests", &["PutItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "forms-requests",
        &[
            ("dashboard-secret", READ_SECRET),
            ("directory", &["GetItem"]),
            ("accounts", &["BatchGetItem"]),
            ("sessions", &["UpdateItem"]),
            ("requests", &["GetItem", "PutItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
            ("mail-queue", SEND),
        ],
    ),
    (
        "forms-confirmation",
        &[
            ("dashboard-secret", READ_SECRET),
            ("accounts", &["BatchGetItem"]),
            ("requests", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "forms-notice",
        &[
            ("directory", &["GetItem"]),
            ("accounts", &["BatchGetItem"]),
            ("requests", &["PutItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    ("forms-embed", &[]),
    ("forms-gpc", &[]),
    // Doors and accounts.
    (
        "dashboard-sign-in",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("directory", &["GetItem"]),
            ("accounts", &["GetItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-second-factor",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-queue", SEND),
        ],
    ),
    (
        "dashboard-passkey",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("directory", &["GetItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-invitation",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["GetItem", "PutItem", "UpdateItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    ("dashboard-reset", &[("dashboard-secret", READ_SECRET), ("sessions", &["UpdateItem"]), ("mail-queue", SEND)]),
    (
        "dashboard-new-password",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["GetItem", "UpdateItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-queue", SEND),
        ],
    ),
    ("dashboard-asset", &[("dashboard-secret", READ_SECRET)]),
    (
        "dashboard-sign-out",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-confirm",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-factors",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-queue", SEND),
        ],
    ),
    (
        "dashboard-sessions",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("sessions/by-user", &["Query"]),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-account",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("sessions/by-user", &["Query"]),
            ("accounts", &["GetItem", "Query", "UpdateItem"]),
            ("agenda", &["UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-queue", SEND),
        ],
    ),
    (
        "dashboard-unsubscribe",
        &[
            ("dashboard-secret", READ_SECRET),
            ("accounts", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    // The request desk.
    (
        "dashboard-overview",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("accounts", &["GetItem"]),
            ("tallies", &["Query"]),
            ("requests/open-by-due", &["Query"]),
        ],
    ),
    (
        "dashboard-requests",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["GetItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("requests/open-by-due", &["Query"]),
            ("requests/by-assignee", &["Query"]),
            ("requests/closed-by-day", &["Query"]),
            ("requests/by-contact", &["Query"]),
            ("requests/by-email", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-bulk",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["Query", "PutItem", "UpdateItem"]),
            ("accounts", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "BatchGetItem", "PutItem"]),
            ("key", &["Decrypt"]),
            ("recordings/identity/*", &["DeleteObject"]),
        ],
    ),
    (
        "dashboard-request",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["Query", "UpdateItem"]),
            ("accounts", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "BatchGetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/*", &["GetObject"]),
        ],
    ),
    (
        "dashboard-act",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["Query", "PutItem", "UpdateItem"]),
            ("accounts", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "BatchGetItem", "PutItem"]),
            ("key", &["Decrypt"]),
            ("recordings/identity/*", &["DeleteObject"]),
        ],
    ),
    (
        "dashboard-message",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["PutItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/attachments/*", &["PutObject"]),
            ("mail-queue", SEND),
        ],
    ),
    (
        "dashboard-hold",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("requests", &["UpdateItem"]),
            ("audit", &["PutItem"]),
            ("agenda", &["UpdateItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-recycle-bin",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("requests", &["GetItem", "BatchGetItem", "UpdateItem"]),
            ("requests/closed-by-day", &["Query"]),
            ("accounts", &["GetItem"]),
            ("audit", &["PutItem"]),
            ("agenda", &["UpdateItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-note",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["PutItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-attach",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["PutItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/attachments/*", &["PutObject"]),
        ],
    ),
    (
        "dashboard-attachment",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["GetItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/attachments/*", &["GetObject"]),
            ("recordings/identity/*", &["GetObject"]),
        ],
    ),
    (
        "dashboard-recording",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/*", &["GetObject"]),
        ],
    ),
    (
        "dashboard-new-request",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["PutItem"]),
            ("accounts", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-export",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["BatchGetItem"]),
            ("tallies", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "BatchGetItem"]),
            ("requests/by-received", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-record",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["Query"]),
            ("accounts", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "BatchGetItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    ("jobs-tally", &[("tallies", &["BatchGetItem", "PutItem", "UpdateItem"]), ("tally-dead-queue", &["SendMessage"])]),
    // Setup and proof.
    ("dashboard-service-codes", &[("dashboard-secret", READ_SECRET), SEEN, ("accounts", &["Query"])]),
    (
        "dashboard-service-code",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("accounts", EDIT),
            ("directory", &["PutItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-greeting",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("accounts", EDIT),
            ("greetings/uploads/*", &["GetObject", "PutObject"]),
            ("greetings/greetings/*", &["PutObject"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-team",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("accounts", EDIT),
            ("directory", &["PutItem", "UpdateItem"]),
            ("mail-queue", SEND),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-notice",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("accounts", &["BatchGetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-settings",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("accounts", &["GetItem", "UpdateItem"]),
            ("agenda", &["UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    ("dashboard-usage", &[("dashboard-secret", READ_SECRET), SEEN, ("accounts", &["GetItem"]), ("usage", &["Query"])]),
    (
        "dashboard-settlement",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("usage", &["GetItem", "PutItem", "UpdateItem"]),
            ("agenda", &["UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-statement",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("usage", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-audit",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("accounts", &["Query"]),
            ("audit", &["PutItem", "Query"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-audit-export",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("audit", &["PutItem", "Query", "GetItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-report",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("tallies", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "dashboard-request-log",
        &[
            ("dashboard-secret", READ_SECRET),
            SEEN,
            ("requests/by-received", &["Query"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
        ],
    ),
    // What consumers meet on the web.
    (
        "forms-status",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("directory", &["GetItem"]),
            ("accounts", &["BatchGetItem"]),
            ("requests", &["GetItem", "PutItem"]),
            ("keys", &["Query", "PutItem"]),
            ("key", &["Decrypt"]),
        ],
    ),
    (
        "forms-identity",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["PutItem", "UpdateItem"]),
            ("requests", &["UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query"]),
            ("key", &["Decrypt"]),
            ("mail-queue", SEND),
            ("texts-queue", SEND),
        ],
    ),
    (
        "forms-case",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("accounts", &["BatchGetItem"]),
            ("requests", &["GetItem", "Query", "PutItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem", "BatchGetItem", "PutItem"]),
            ("key", &["Decrypt"]),
            ("recordings/attachments/*", &["PutObject"]),
            ("recordings/identity/*", &["DeleteObject"]),
            ("mail-queue", SEND),
        ],
    ),
    (
        "forms-file",
        &[
            ("dashboard-secret", READ_SECRET),
            ("requests", &["GetItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/attachments/*", &["GetObject"]),
        ],
    ),
    // Writes photos of identity documents, and reads none.
    (
        "forms-photo-id",
        &[
            ("dashboard-secret", READ_SECRET),
            ("accounts", &["BatchGetItem"]),
            ("requests", &["GetItem", "UpdateItem"]),
            ("audit", &["PutItem"]),
            ("keys", &["Query", "BatchGetItem"]),
            ("key", &["Decrypt"]),
            ("recordings/identity/*", &["PutObject"]),
        ],
    ),
    (
        "jobs-send-text",
        &[
            ("dashboard-secret", READ_SECRET),
            ("sessions", &["UpdateItem"]),
            ("requests", &["GetItem"]),
            ("keys", &["Query", "GetItem"]),
            ("key", &["Decrypt"]),
            ("telephones", &["Publish"]),
            ("texts-queue", RECEIVE),
            ("texts-dead-queue", &["SendMessage"]),
        ],
    ),
    ("forms-privacy-choices", OPTS_OUT),
    ("forms-signal", OPTS_OUT),
    (
        "jobs-reconcile-usage",
        &[
            ("secret", READ_SECRET),
            ("stripe-secret", READ_SECRET),
            ("directory", &["BatchGetItem", "GetItem", "PutItem"]),
            ("accounts", &["GetItem"]),
            ("usage", &["BatchGetItem", "GetItem", "Query", "PutItem", "UpdateItem"]),
            ("agenda", &["GetItem", "UpdateItem", "DeleteItem"]),
            ("runs", &["UpdateItem"]),
            ("reconcile-usage-queue", RECEIVE),
            ("reconcile-usage-dead-queue", &["SendMessage"]),
        ],
    ),
    ("jobs-reconciliation", &[("directory", &["GetItem"]), ("usage", &["GetItem", "Query"])]),
    (
        "jobs-replay-usage",
        &[("directory", &["GetItem"]), ("accounts", &["GetItem"]), ("usage", &["Query"]), ("agenda", &["UpdateItem"])],
    ),
    (
        "jobs-recount",
        &[
            ("directory", &["GetItem"]),
            ("requests", &["GetItem"]),
            ("requests/by-received", &["Query"]),
            ("tallies", &["BatchGetItem", "PutItem", "Query", "UpdateItem"]),
        ],
    ),
    (
        "jobs-verify-audit",
        &[("directory", &["GetItem"]), ("audit", &["Query", "GetItem"]), ("keys", &["Query"]), ("key", &["Decrypt"])],
    ),
];

/// Every page notes that its session was used.
const SEEN: May = ("sessions", &["UpdateItem"]);
const EDIT: &[&str] = &["GetItem", "Query", "PutItem", "UpdateItem"];
const READ_SECRET: &[&str] = &["GetSecretValue"];
const SEND: &[&str] = &["SendMessage", "GetQueueAttributes"];
const RECEIVE: &[&str] = &["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
const OPTS_OUT: &[May] = &[
    ("sessions", &["UpdateItem"]),
    ("directory", &["GetItem"]),
    ("accounts", &["BatchGetItem"]),
    ("requests", &["PutItem"]),
    ("keys", &["Query", "PutItem"]),
    ("key", &["Decrypt"]),
];
const BEGIN_REQUEST: &[May] = &[
    ("secret", READ_SECRET),
    ("requests", &["GetItem", "PutItem"]),
    ("keys", &["Query", "PutItem"]),
    ("key", &["Decrypt"]),
];

/// Every action that is asked about: all that some function may do, and what none may.
const ACTIONS: &[May] = &[
    (
        "dynamodb",
        &[
            "GetItem",
            "BatchGetItem",
            "Query",
            "PutItem",
            "UpdateItem",
            "ConditionCheckItem",
            "Scan",
            "DeleteItem",
            "BatchWriteItem",
            "DeleteTable",
        ],
    ),
    (
        "sqs",
        &["SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "PurgeQueue", "SetQueueAttributes"],
    ),
    (
        "s3",
        &[
            "GetObject",
            "PutObject",
            "DeleteObject",
            "DeleteObjectVersion",
            "GetObjectVersion",
            "ListBucket",
            "ListBucketVersions",
            "PutObjectAcl",
        ],
    ),
    ("ses", &["SendEmail", "SendRawEmail", "CreateEmailIdentity"]),
    ("sns", &["Publish", "Subscribe", "DeleteTopic"]),
    ("secretsmanager", &["GetSecretValue", "PutSecretValue", "DeleteSecret"]),
    (
        "kms",
        &[
            "Decrypt",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ScheduleKeyDeletion",
            "CreateGrant",
        ],
    ),
];

/// Every resource, with its service and its ARN.
fn resources(hotline: &Hotline) -> Vec<(String, &'static str, String)> {
    let at = &hotline.at;
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:{}:000000000000:{name}", at.region);
    let mut all =
        vec![("secret".to_owned(), "secretsmanager", at.secret.clone()), ("key".to_owned(), "kms", at.kms_key.clone())];
    all.push(("stripe-secret".to_owned(), "secretsmanager", at.stripe_secret.clone()));
    all.push(("dashboard-secret".to_owned(), "secretsmanager", at.dashboard_secret.clone()));
    all.push(("mail-from".to_owned(), "ses", arn("ses", "identity/optline@example.com")));
    let by_user = format!("table/{}/index/by-user", at.tables["sessions"]);
    all.push(("sessions/by-user".to_owned(), "dynamodb", arn("dynamodb", &by_user)));
    for index in ["open-by-due", "by-assignee", "closed-by-day", "by-received", "by-contact", "by-email"] {
        let path = format!("table/{}/index/{index}", at.tables["requests"]);
        all.push((format!("requests/{index}"), "dynamodb", arn("dynamodb", &path)));
    }
    for (name, table) in &at.tables {
        all.push((name.clone(), "dynamodb", arn("dynamodb", &format!("table/{table}"))));
    }
    for (name, url) in &at.queues {
        all.push((format!("{name}-queue"), "sqs", arn("sqs", url.rsplit('/').next().unwrap())));
    }
    for (name, bucket) in &at.buckets {
        all.push((format!("{name}-bucket"), "s3", format!("arn:aws:s3:::{bucket}")));
        all.push((format!("{name}/*"), "s3", format!("arn:aws:s3:::{bucket}/t-0/CA0/RE0.audio")));
    }
    let greeting = format!("arn:aws:s3:::{}/greetings/0.mp3", at.buckets["greetings"]);
    all.push(("greetings/greetings/*".to_owned(), "s3", greeting));
    let upload = format!("arn:aws:s3:::{}/uploads/t-0/0", at.buckets["greetings"]);
    all.push(("greetings/uploads/*".to_owned(), "s3", upload));
    let attachment = format!("arn:aws:s3:::{}/attachments/t-0/0/0.0", at.buckets["recordings"]);
    all.push(("recordings/attachments/*".to_owned(), "s3", attachment));
    let photo = format!("arn:aws:s3:::{}/identity/t-0/0/0", at.buckets["recordings"]);
    all.push(("recordings/identity/*".to_owned(), "s3", photo));
    // A telephone number is no resource, and so asked about as what has none; a topic is another matter.
    all.push(("telephones".to_owned(), "sns", "*".to_owned()));
    all.push(("topics".to_owned(), "sns", arn("sns", "alarms")));
    all
}

#[tokio::test]
async fn a_function_may_do_what_it_does_and_nothing_that_another_does() {
    let hotline = Hotline::open();
    let allowed: BTreeMap<&str, BTreeSet<(&str, &str)>> = ALLOWED
        .iter()
        .map(|(function, resources)| {
            let pairs =
                resources.iter().flat_map(|(resource, actions)| actions.iter().map(|action| (*resource, *action)));
            (*function, pairs.collect())
        })
        .collect();
    let known: BTreeSet<&str> = hotline.at.roles.keys().map(String::as_str).collect();
    assert_eq!(allowed.keys().copied().collect::<BTreeSet<_>>(), known, "every function has its line here");
    let resources = resources(&hotline);
    for (function, role) in &hotline.at.roles {
        let expected = &allowed[function.as_str()];
        let mut seen = 0;
        for (resource, service, arn) in &resources {
            let names = ACTIONS.iter().find(|(known, _)| known == service).unwrap().1;
            let actions: Vec<String> = names.iter().map(|name| format!("{service}:{name}")).collect();
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            for (name, may) in names.iter().zip(hotline.cloud.may(role, &actions, arn).await) {
                let should = expected.contains(&(resource.as_str(), *name));
                assert_eq!(may, should, "{function} {service}:{name} on {resource} ({arn})");
                seen += usize::from(should);
            }
        }
        assert_eq!(seen, expected.len(), "{function}: all that it may do was asked about");
    }
}

#[tokio::test]
async fn no_function_may_touch_roles_stacks_or_other_functions() {
    let hotline = Hotline::open();
    let actions = [
        "iam:PutRolePolicy",
        "iam:PassRole",
        "sts:AssumeRole",
        "lambda:InvokeFunction",
        "lambda:UpdateFunctionCode",
        "cloudformation:UpdateStack",
        "logs:DeleteLogGroup",
        "logs:GetLogEvents",
        "ec2:RunInstances",
    ];
    for (function, role) in &hotline.at.roles {
        let may = hotline.cloud.may(role, &actions, "*").await;
        assert!(may.iter().all(|may| !may), "{function}: {:?}", actions.iter().zip(may).collect::<Vec<_>>());
    }
}
