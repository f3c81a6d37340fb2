//! `template.yaml` and the code say the same. Needs no cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use partners::stripe::signature as stripe;
use partners::twilio::signature::{Keys, SignedRequest};
use serde_json::{Value, json};
use serde_yaml_ng as yaml;

/// The credentials under which `events/` is signed: nobody's.
const EVENTS_ACCOUNT: &str = "AC00000000000000000000000000000000";
const EVENTS_AUTH_TOKEN: &str = "auth-token-of-the-event-fixtures";
const EVENTS_BASE_URL: &str = "https://hotline.example";

/// What a call in a function's source needs: an AWS action, on what the named variable points to.
const NEEDS: &[(&str, &[&str])] = &[
    (".number(&dialled)", &["dynamodb:GetItem TABLE_DIRECTORY"]),
    ("app.store.service_code(", &["dynamodb:GetItem TABLE_DIRECTORY"]),
    (").service_code(", &["dynamodb:BatchGetItem TABLE_ACCOUNTS"]),
    ("= store.service_code(", &["dynamodb:BatchGetItem TABLE_ACCOUNTS"]),
    (".remember_call(", &["dynamodb:PutItem TABLE_DIRECTORY", "dynamodb:GetItem TABLE_DIRECTORY"]),
    ("app.store.call(", &["dynamodb:GetItem TABLE_DIRECTORY"]),
    (".arrange(", &["dynamodb:UpdateItem TABLE_AGENDA"]),
    (".due(", &["dynamodb:Query TABLE_AGENDA"]),
    ("app.store.planned(", &["dynamodb:PutItem TABLE_RUNS"]),
    (".plannings(", &["dynamodb:Query TABLE_RUNS"]),
    ("app.store.runs(", &["dynamodb:Query TABLE_RUNS"]),
    ("job: Job::PushUsage", &["sqs:SendMessage QUEUE_PUSH_USAGE"]),
    (
        "job == Job::PushUsage",
        &[
            "sqs:SendMessage QUEUE_RECONCILE_USAGE",
            "sqs:SendMessage QUEUE_SEND_REPORTS",
            "sqs:SendMessage QUEUE_SEND_REMINDERS",
            "sqs:SendMessage QUEUE_SEND_ALERTS",
            "sqs:SendMessage QUEUE_RETENTION",
        ],
    ),
    (".add_news(", &["dynamodb:Query TABLE_AGENDA", "dynamodb:PutItem TABLE_AGENDA"]),
    (".note_begun(", &["dynamodb:PutItem TABLE_AGENDA"]),
    (
        ".sweep_begun(",
        &[
            "dynamodb:Query TABLE_AGENDA",
            "dynamodb:PutItem TABLE_AGENDA",
            "dynamodb:DeleteItem TABLE_AGENDA",
            "dynamodb:BatchGetItem TABLE_REQUESTS",
        ],
    ),
    (".news_after(", &["dynamodb:Query TABLE_AGENDA"]),
    (".told().await", &["dynamodb:Query TABLE_AGENDA"]),
    (".note_told(", &["dynamodb:UpdateItem TABLE_AGENDA"]),
    (".lines(&all", &["dynamodb:BatchGetItem TABLE_REQUESTS"]),
    (".reminded_since(", &["dynamodb:Query TABLE_AGENDA"]),
    (".reminded_one(", &["dynamodb:PutItem TABLE_AGENDA"]),
    (".reminded_until()", &["dynamodb:GetItem TABLE_AGENDA"]),
    (".reminded(today)", &["dynamodb:UpdateItem TABLE_AGENDA"]),
    (".due_until(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".arrivals(", &["dynamodb:BatchGetItem TABLE_REQUESTS"]),
    (
        ".unconfirmed(",
        &[
            "dynamodb:GetItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".confirm_receipt(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_AUDIT"]),
    (".call_owner(", &["dynamodb:PutItem TABLE_DIRECTORY", "dynamodb:GetItem TABLE_DIRECTORY"]),
    (
        ".record_usage(",
        &["dynamodb:GetItem TABLE_USAGE", "dynamodb:PutItem TABLE_USAGE", "dynamodb:UpdateItem TABLE_USAGE"],
    ),
    // A day's way to the bill.
    (".mark_day(", &["dynamodb:UpdateItem TABLE_AGENDA"]),
    (".billing_account(", &["dynamodb:GetItem TABLE_ACCOUNTS"]),
    (".set_stripe_customer(", &["dynamodb:PutItem TABLE_ACCOUNTS"]),
    (".take_day(", &["dynamodb:UpdateItem TABLE_USAGE"]),
    (".send_day_to(", &["dynamodb:UpdateItem TABLE_USAGE"]),
    (".has_day(", &["dynamodb:GetItem TABLE_USAGE"]),
    (".batches_of_day(", &["dynamodb:Query TABLE_USAGE"]),
    (".batches_of_month(", &["dynamodb:Query TABLE_USAGE"]),
    (".units_of_day(", &["dynamodb:Query TABLE_USAGE"]),
    (".some_units_of_day(", &["dynamodb:Query TABLE_USAGE"]),
    ("store.batch(", &["dynamodb:GetItem TABLE_USAGE"]),
    (".open_batch(", &["dynamodb:PutItem TABLE_USAGE", "dynamodb:ConditionCheckItem TABLE_USAGE"]),
    (".step_batch(", &["dynamodb:PutItem TABLE_USAGE", "dynamodb:ConditionCheckItem TABLE_USAGE"]),
    (".claim_units(", &["dynamodb:UpdateItem TABLE_USAGE", "dynamodb:ConditionCheckItem TABLE_USAGE"]),
    (".process_units(", &["dynamodb:UpdateItem TABLE_USAGE", "dynamodb:ConditionCheckItem TABLE_USAGE"]),
    (".identifier_owner(", &["dynamodb:GetItem TABLE_USAGE"]),
    (".report_refusal(", &["dynamodb:GetItem TABLE_USAGE", "dynamodb:PutItem TABLE_USAGE"]),
    (
        ".settle_line(",
        &[
            "dynamodb:GetItem TABLE_USAGE",
            "dynamodb:PutItem TABLE_USAGE",
            "dynamodb:UpdateItem TABLE_USAGE",
            "dynamodb:UpdateItem TABLE_AGENDA",
        ],
    ),
    (".stripe_event_is_done(", &["dynamodb:GetItem TABLE_SESSIONS"]),
    (".stripe_event_done(", &["dynamodb:PutItem TABLE_SESSIONS"]),
    ("app.stripe()", &["secretsmanager:GetSecretValue STRIPE_SECRET"]),
    ("app.stripe_secrets()", &["secretsmanager:GetSecretValue STRIPE_SECRET"]),
    (".keys().await", &["dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (
        ".begin_request(",
        &[
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".recording_salt(", &["dynamodb:PutItem TABLE_KEYS"]),
    (".recordings_later(", &["sqs:SendMessage source"]),
    (".add_message(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".note_recording(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".submit_request(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:GetItem TABLE_REQUESTS"]),
    (".request_status(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    (
        ".provision(",
        &[
            "dynamodb:PutItem TABLE_DIRECTORY",
            "dynamodb:GetItem TABLE_DIRECTORY",
            "dynamodb:PutItem TABLE_ACCOUNTS",
            "dynamodb:PutItem TABLE_KEYS",
            "kms:GenerateDataKeyWithoutPlaintext KMS_KEY",
        ],
    ),
    // People who sign in.
    (".throttle(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    ("app.store.session(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".use_up(", &["dynamodb:PutItem TABLE_SESSIONS"]),
    (".use_up_as(", &["dynamodb:PutItem TABLE_SESSIONS"]),
    (".begin_session(", SAVES_A_USER),
    (".begin_session(", BEGINS_A_SESSION),
    (".sessions(&", &["dynamodb:Query TABLE_SESSIONS"]),
    (".drop_session(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".end_session(", SAVES_A_USER),
    (".end_session(", &["dynamodb:GetItem TABLE_ACCOUNTS", "dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".end_other_sessions(", SAVES_A_USER),
    (".end_other_sessions(", &["dynamodb:GetItem TABLE_ACCOUNTS", "dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".confirm_session(", SAVES_A_USER),
    (".confirm_session(", BEGINS_A_SESSION),
    (".refresh_card(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".link(Link::", &["dynamodb:GetItem TABLE_SESSIONS"]),
    (".make_invitation(", &["dynamodb:PutItem TABLE_SESSIONS", "dynamodb:UpdateItem TABLE_ACCOUNTS"]),
    (".make_reset(", RECORDS),
    (".make_reset(", &["dynamodb:PutItem TABLE_SESSIONS"]),
    (".sign_in_name(", &["dynamodb:GetItem TABLE_DIRECTORY"]),
    (".passkey_user(", &["dynamodb:GetItem TABLE_DIRECTORY"]),
    (".user(&", &["dynamodb:GetItem TABLE_ACCOUNTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".users()", &["dynamodb:Query TABLE_ACCOUNTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".everybody()", &["dynamodb:Query TABLE_ACCOUNTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".profile().await", &["dynamodb:GetItem TABLE_ACCOUNTS"]),
    (".record(&", RECORDS),
    (".save_credentials(", SAVES_A_USER),
    (".replace_factors(", SAVES_A_USER),
    (".replace_factors(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".save_password(", SAVES_A_USER),
    (".save_password(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".save_profile(", SAVES_A_USER),
    (".address_is_dead(", SAVES_A_USER),
    (".try_address_again(", SAVES_A_USER),
    (".count_bounce(", &["dynamodb:UpdateItem TABLE_ACCOUNTS", "dynamodb:PutItem TABLE_SESSIONS"]),
    (
        ".receipt_bounced(",
        &["dynamodb:GetItem TABLE_REQUESTS", "dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_AUDIT"],
    ),
    (".readable_users()", &["dynamodb:Query TABLE_ACCOUNTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".save_password_by_link(", SAVES_A_USER),
    (".save_password_by_link(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".activate_user(", SAVES_A_USER),
    (".activate_user(", BEGINS_A_SESSION),
    (".invite_user(", RECORDS),
    (".invite_user(", &["dynamodb:PutItem TABLE_ACCOUNTS", "dynamodb:PutItem TABLE_DIRECTORY"]),
    (".set_role(", SAVES_A_USER),
    (".set_role(", &["dynamodb:GetItem TABLE_ACCOUNTS", "dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".remove_user(", SAVES_A_USER),
    (
        ".remove_user(",
        &[
            "dynamodb:GetItem TABLE_ACCOUNTS",
            "dynamodb:UpdateItem TABLE_DIRECTORY",
            "dynamodb:UpdateItem TABLE_SESSIONS",
        ],
    ),
    (
        "app.post(",
        &[
            "secretsmanager:GetSecretValue DASHBOARD_SECRET",
            "sqs:SendMessage QUEUE_MAIL",
            "sqs:GetQueueAttributes QUEUE_MAIL",
        ],
    ),
    ("app.letter(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("app.mail.send(", &["ses:SendEmail MAIL_FROM"]),
    ("app.send_once(", &["dynamodb:UpdateItem TABLE_SESSIONS", "ses:SendEmail MAIL_FROM"]),
    (
        "app.send_confirmation(",
        &[
            "dynamodb:UpdateItem TABLE_SESSIONS",
            "ses:SendEmail MAIL_FROM",
            "secretsmanager:GetSecretValue DASHBOARD_SECRET",
        ],
    ),
    ("app.confirmation_of(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("app.unsubscribe_link(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("app.unsubscribing(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("blobs.greeting(", &["s3:GetObject BUCKET_GREETINGS"]),
    (".put_recording(", &["s3:PutObject BUCKET_RECORDINGS"]),
    (".has_recording(", &["s3:GetObject BUCKET_RECORDINGS"]),
    ("queues.usage(", &["sqs:SendMessage QUEUE_USAGE", "sqs:GetQueueAttributes QUEUE_USAGE"]),
    ("queues.recordings(", &["sqs:SendMessage QUEUE_RECORDINGS", "sqs:GetQueueAttributes QUEUE_RECORDINGS"]),
    (".transcripts(", &["sqs:SendMessage QUEUE_TRANSCRIPTS", "sqs:GetQueueAttributes QUEUE_TRANSCRIPTS"]),
    ("app.twilio()", &["secretsmanager:GetSecretValue TWILIO_SECRET"]),
    ("app.secrets()", &["secretsmanager:GetSecretValue TWILIO_SECRET"]),
    // The request desk. Every change is written together with its audit entry, which is sealed.
    (".case(&reference)", CASE),
    (
        ".dossier(&",
        &[
            "dynamodb:Query TABLE_REQUESTS",
            "dynamodb:BatchGetItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".desk_account()", &["dynamodb:Query TABLE_ACCOUNTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".code_names()", &["dynamodb:Query TABLE_ACCOUNTS"]),
    (
        "store.change(&",
        &[
            "dynamodb:UpdateItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_KEYS",
            "dynamodb:PutItem TABLE_AUDIT",
        ],
    ),
    (
        ".enter_request(",
        &[
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_KEYS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".add_tenant_message(",
        &[
            "dynamodb:UpdateItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".record_reading(", RECORDS),
    (".record_reading(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (
        ".reachable(",
        &[
            "dynamodb:GetItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".file_signal(",
        &[
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".note_signal(&new",
        &[
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".mailbox(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    (
        ".add_note(",
        &[
            "dynamodb:UpdateItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    ("attachment_key(", &["dynamodb:GetItem TABLE_KEYS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".put_attachment(", &["s3:PutObject BUCKET_RECORDINGS"]),
    (
        ".add_file(",
        &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_AUDIT"],
    ),
    ("store.file(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    ("blobs.attachment(", &["s3:GetObject BUCKET_RECORDINGS"]),
    ("blobs.recording(", &["s3:GetObject BUCKET_RECORDINGS"]),
    (".found_recording_salt(", &["dynamodb:GetItem TABLE_KEYS"]),
    (".inbox(&", &["dynamodb:Query TABLE_REQUESTS"]),
    (".next_deadlines(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".find_request(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    ("store.search(", &["dynamodb:Query TABLE_REQUESTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".export_page(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".contacts(&", &["dynamodb:BatchGetItem TABLE_REQUESTS", "dynamodb:BatchGetItem TABLE_KEYS"]),
    (".tallies(", &["dynamodb:Query TABLE_TALLIES"]),
    (
        "store.count(",
        &["dynamodb:BatchGetItem TABLE_TALLIES", "dynamodb:PutItem TABLE_TALLIES", "dynamodb:UpdateItem TABLE_TALLIES"],
    ),
    (
        ".recount(",
        &[
            "dynamodb:BatchGetItem TABLE_TALLIES",
            "dynamodb:PutItem TABLE_TALLIES",
            "dynamodb:Query TABLE_TALLIES",
            "dynamodb:UpdateItem TABLE_TALLIES",
            "dynamodb:GetItem TABLE_REQUESTS",
            "dynamodb:Query TABLE_REQUESTS",
        ],
    ),
    ("edge::stream(", FOLLOWS_A_STREAM),
    ("edge::arrivals(", FOLLOWS_A_STREAM),
    // Setup and proof.
    (".service_codes()", &["dynamodb:Query TABLE_ACCOUNTS"]),
    (".service_code_settings(", &["dynamodb:GetItem TABLE_ACCOUNTS"]),
    (
        ".create_service_code(",
        &[
            "dynamodb:PutItem TABLE_DIRECTORY",
            "dynamodb:PutItem TABLE_ACCOUNTS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".save_service_code(",
        &[
            "dynamodb:Query TABLE_ACCOUNTS",
            "dynamodb:PutItem TABLE_ACCOUNTS",
            "dynamodb:UpdateItem TABLE_ACCOUNTS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".greetings(", &["dynamodb:Query TABLE_ACCOUNTS"]),
    (".upload_form(", &["s3:PutObject BUCKET_GREETINGS"]),
    (".uploaded(", &["s3:GetObject BUCKET_GREETINGS"]),
    (".keep_greeting(", &["s3:PutObject BUCKET_GREETINGS"]),
    (".settings().await", &["dynamodb:GetItem TABLE_ACCOUNTS"]),
    (
        ".save_settings(",
        &[
            "dynamodb:UpdateItem TABLE_ACCOUNTS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".team().await", &["dynamodb:Query TABLE_ACCOUNTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".month_of_billing(", &["dynamodb:Query TABLE_USAGE"]),
    (".kept_calls(", &["dynamodb:BatchGetItem TABLE_DIRECTORY", "dynamodb:BatchGetItem TABLE_USAGE"]),
    (".rows_of_day(", &["dynamodb:Query TABLE_USAGE"]),
    (".keep_check(", &["dynamodb:PutItem TABLE_USAGE"]),
    (".keep_list(", &["dynamodb:PutItem TABLE_USAGE"]),
    (".list_of(", &["dynamodb:GetItem TABLE_USAGE"]),
    (".settle_line(", RECORDS),
    (".trail(", &["dynamodb:Query TABLE_AUDIT", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".walk_trail(", &["dynamodb:Query TABLE_AUDIT", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".trail_head()", &["dynamodb:GetItem TABLE_AUDIT"]),
    (".tenant_of_slug(", &["dynamodb:GetItem TABLE_DIRECTORY"]),
    (".log_of_month(", &["dynamodb:Query TABLE_REQUESTS"]),
    // What consumers meet on the web.
    (".form_account(", &["dynamodb:BatchGetItem TABLE_ACCOUNTS"]),
    (".form_fingerprint(", &["dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".human_check_secret(", &["dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    (".form_throttle(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (
        ".file_form_request(",
        &[
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".filed_form_request(", &["dynamodb:GetItem TABLE_REQUESTS", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"]),
    ("app.tickets()", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    // The pages of a request.
    (".glance(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    (
        ".history(",
        &[
            "dynamodb:GetItem TABLE_REQUESTS",
            "dynamodb:BatchGetItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".on_file(",
        &[
            "dynamodb:GetItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".messages(&",
        &[
            "dynamodb:Query TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (
        ".add_consumer_message(",
        &[
            "dynamodb:UpdateItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_REQUESTS",
            "dynamodb:GetItem TABLE_KEYS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    (".contact_shown(", RECORDS),
    (".contact_shown(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".decide_as_consumer(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_AUDIT"]),
    (".sign_declaration(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_AUDIT"]),
    (".add_photo(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:PutItem TABLE_AUDIT"]),
    (".keep_code(", &["dynamodb:PutItem TABLE_SESSIONS"]),
    (".try_code(", &["dynamodb:UpdateItem TABLE_SESSIONS"]),
    (".shared_file(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    (".photo_form(", &["s3:PutObject BUCKET_RECORDINGS"]),
    ("blobs.photo(", &["s3:GetObject BUCKET_RECORDINGS"]),
    ("app.delete_photos(", &["s3:DeleteObject BUCKET_RECORDINGS"]),
    ("app.delete_photos(", RECORDS),
    (
        "app.post_text(",
        &[
            "secretsmanager:GetSecretValue DASHBOARD_SECRET",
            "sqs:SendMessage QUEUE_TEXTS",
            "sqs:GetQueueAttributes QUEUE_TEXTS",
        ],
    ),
    ("app.posted_text(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("app.text.send(", &["sns:Publish TEXT_PREFIXES"]),
    (".human_check().await", &["dynamodb:GetItem TABLE_ACCOUNTS"]),
    (".save_human_check(", SAVES_A_USER),
    (".remove_human_check(", SAVES_A_USER),
    (".notice_account(", &["dynamodb:BatchGetItem TABLE_ACCOUNTS"]),
    (".save_notice(", SAVES_A_USER),
    (
        ".confirm_request(",
        &[
            "dynamodb:UpdateItem TABLE_REQUESTS",
            "dynamodb:PutItem TABLE_AUDIT",
            "dynamodb:Query TABLE_KEYS",
            "kms:Decrypt KMS_KEY",
        ],
    ),
    // What has been kept long enough.
    (".bookmarks().await", &["dynamodb:GetItem TABLE_ACCOUNTS"]),
    (".keep_bookmarks(", &["dynamodb:PutItem TABLE_ACCOUNTS"]),
    (".look(rule", &["dynamodb:Query TABLE_REQUESTS"]),
    (".kept_request(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    (".bin_request(", RECORDS),
    (".bin_request(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".restore_request(", RECORDS),
    (".restore_request(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".bin_page(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".held_among(", &["dynamodb:BatchGetItem TABLE_REQUESTS"]),
    (".case_or_binned(", CASE),
    (".place_hold(", RECORDS),
    (".place_hold(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:GetItem TABLE_KEYS"]),
    (".lift_hold(", RECORDS),
    (".lift_hold(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".expire_part(", RECORDS),
    (".expire_part(", &["dynamodb:UpdateItem TABLE_REQUESTS", "dynamodb:Query TABLE_REQUESTS"]),
    (".erase_part(", &["dynamodb:Query TABLE_REQUESTS", "dynamodb:DeleteItem TABLE_REQUESTS"]),
    (".answer_files(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".part_is_gone(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".claim_erasure(", &["dynamodb:Query TABLE_REQUESTS", "dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".kin(", &["dynamodb:GetItem TABLE_REQUESTS"]),
    (".hand_over(", &["dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".shred(", &["dynamodb:DeleteItem TABLE_KEYS"]),
    (".erase_beside(", &["dynamodb:Query TABLE_REQUESTS", "dynamodb:DeleteItem TABLE_REQUESTS"]),
    (".forget_news(", &["dynamodb:DeleteItem TABLE_AGENDA"]),
    (".erase_request(", RECORDS),
    (".erase_request(", &["dynamodb:DeleteItem TABLE_REQUESTS"]),
    ("blobs.recordings_of(", &["s3:ListBucketVersions BUCKET_RECORDINGS"]),
    ("blobs.erase_greetings(", &["s3:ListBucketVersions BUCKET_GREETINGS", "s3:DeleteObjectVersion BUCKET_GREETINGS"]),
    ("blobs.erase_", &["s3:ListBucketVersions BUCKET_RECORDINGS", "s3:DeleteObjectVersion BUCKET_RECORDINGS"]),
    (".stored_requests(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".held_requests(", &["dynamodb:Query TABLE_REQUESTS"]),
    (".claim_at_the_end(", &["dynamodb:Query TABLE_REQUESTS", "dynamodb:UpdateItem TABLE_REQUESTS"]),
    (".first_recordings(", &["s3:ListBucketVersions BUCKET_RECORDINGS"]),
    (
        ".erase_user(",
        &[
            "dynamodb:UpdateItem TABLE_SESSIONS",
            "dynamodb:DeleteItem TABLE_DIRECTORY",
            "dynamodb:DeleteItem TABLE_ACCOUNTS",
        ],
    ),
    (".free_slug(", &["dynamodb:DeleteItem TABLE_DIRECTORY"]),
    (
        ".erase_settings(",
        &["dynamodb:Query TABLE_ACCOUNTS", "dynamodb:DeleteItem TABLE_DIRECTORY", "dynamodb:DeleteItem TABLE_ACCOUNTS"],
    ),
    (
        ".erase_rest(",
        &[
            "dynamodb:Query TABLE_TALLIES",
            "dynamodb:DeleteItem TABLE_TALLIES",
            "dynamodb:Query TABLE_AGENDA",
            "dynamodb:DeleteItem TABLE_AGENDA",
        ],
    ),
    (".erase_account(", RECORDS),
    (".erase_account(", &["dynamodb:DeleteItem TABLE_ACCOUNTS"]),
    (".erase_root_keys(", &["dynamodb:Query TABLE_KEYS", "dynamodb:DeleteItem TABLE_KEYS"]),
    // The edges.
    // A worker reads its entry, enters the next, takes its own away and writes down what it did.
    (
        "edge::work(",
        &[
            "dynamodb:GetItem TABLE_AGENDA",
            "dynamodb:UpdateItem TABLE_AGENDA",
            "dynamodb:DeleteItem TABLE_AGENDA",
            "dynamodb:UpdateItem TABLE_RUNS",
            "sqs:ReceiveMessage source",
            "sqs:DeleteMessage source",
            "sqs:GetQueueAttributes source",
            "sqs:SendMessage QUEUE_DEAD",
        ],
    ),
    ("edge::door(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("edge::files_door(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET"]),
    ("edge::page(", &["secretsmanager:GetSecretValue DASHBOARD_SECRET", "dynamodb:UpdateItem TABLE_SESSIONS"]),
    ("edge::voice(", &["secretsmanager:GetSecretValue TWILIO_SECRET"]),
    ("edge::callback(", &["secretsmanager:GetSecretValue TWILIO_SECRET"]),
    ("edge::stripe(", &["secretsmanager:GetSecretValue STRIPE_SECRET"]),
    ("edge::queue(", TAKES_FROM_A_QUEUE),
    ("edge::queue_of_text(", TAKES_FROM_A_QUEUE),
];

/// Modules that steps share.
const SHARED: &[(&str, &str)] = &[
    ("filing::begin(", "filing"),
    ("human_check::submit(", "human_check"),
    ("ceremony::state(", "ceremony"),
    ("entering::begin(", "entering"),
    ("entering::card(", "entering"),
    ("noting::note(", "noting"),
    ("telling::letter(", "telling"),
    ("opting_out::", "opting_out"),
    ("tries::", "tries"),
    ("site::open(", "site"),
    ("human::check(", "human"),
    ("photos::", "photos"),
    ("reaching::", "reaching"),
    ("counting::", "counting"),
    ("whose::account(", "whose"),
    ("planning::summon(", "planning"),
    ("closing::handle(", "closing"),
];

/// A reader of a table's stream, which buries what cannot be read.
const FOLLOWS_A_STREAM: &[&str] = &[
    "dynamodb:DescribeStream source",
    "dynamodb:GetRecords source",
    "dynamodb:GetShardIterator source",
    "dynamodb:ListStreams source",
    "sqs:SendMessage QUEUE_DEAD",
];

/// An entry in the audit trail, sealed.
const RECORDS: &[&str] = &["dynamodb:PutItem TABLE_AUDIT", "dynamodb:Query TABLE_KEYS", "kms:Decrypt KMS_KEY"];
/// A request with everything that is kept of it, and the account.
const CASE: &[&str] = &[
    "dynamodb:Query TABLE_REQUESTS",
    "dynamodb:BatchGetItem TABLE_KEYS",
    "dynamodb:Query TABLE_ACCOUNTS",
    "dynamodb:Query TABLE_KEYS",
    "kms:Decrypt KMS_KEY",
];
/// Messages of a queue, and one that can never succeed put aside.
const TAKES_FROM_A_QUEUE: &[&str] = &[
    "sqs:ReceiveMessage source",
    "sqs:DeleteMessage source",
    "sqs:GetQueueAttributes source",
    "sqs:SendMessage QUEUE_DEAD",
];
/// A change of somebody's account, with its entry.
const SAVES_A_USER: &[&str] = &[
    "dynamodb:UpdateItem TABLE_ACCOUNTS",
    "dynamodb:PutItem TABLE_AUDIT",
    "dynamodb:Query TABLE_KEYS",
    "kms:Decrypt KMS_KEY",
];

/// A session that begins, and the oldest one that ends for it.
const BEGINS_A_SESSION: &[&str] = &["dynamodb:PutItem TABLE_SESSIONS", "dynamodb:UpdateItem TABLE_SESSIONS"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `!Ref X` as `{"Ref": "X"}`, so that the rest is plain JSON.
fn plain(value: yaml::Value) -> Value {
    match value {
        yaml::Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string().trim_start_matches('!').to_owned();
            json!({ tag: plain(tagged.value) })
        }
        yaml::Value::Mapping(map) => {
            map.into_iter().map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), plain(value))).collect()
        }
        yaml::Value::Sequence(items) => items.into_iter().map(plain).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}

pub(crate) fn template() -> Value {
    plain(yaml::from_str(&read("template.yaml")).unwrap())
}

fn resources<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let all = template["Resources"].as_object().unwrap().iter();
    all.filter(|(_, resource)| resource["Type"] == kind).map(|(name, resource)| (name.as_str(), resource)).collect()
}

/// Functions by bin.
pub(crate) fn functions(template: &Value) -> BTreeMap<String, (&str, &Value)> {
    let functions = resources(template, "AWS::Serverless::Function").into_iter();
    functions.map(|(name, resource)| (kebab(name), (name, &resource["Properties"]))).collect()
}

fn kebab(camel: &str) -> String {
    camel.char_indices().fold(String::new(), |mut kebab, (at, letter)| {
        if letter.is_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
        kebab
    })
}

fn bins() -> BTreeSet<String> {
    let mut bins = BTreeSet::new();
    for domain in fs::read_dir(root().join("functions")).unwrap() {
        for bin in fs::read_dir(domain.unwrap().path().join("src/bin")).unwrap() {
            bins.insert(bin.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    bins
}

/// `voice-service-code` → (`voice`, `service_code`).
fn module(bin: &str) -> (&str, String) {
    let (domain, step) = bin.split_once('-').unwrap();
    (domain, step.replace('-', "_"))
}

/// A bin's own source: its main, its module, and what that shares with others.
fn source(bin: &str) -> String {
    let (domain, step) = module(bin);
    let mut source = read(format!("functions/{domain}/src/bin/{bin}.rs"));
    source.push_str(&read(format!("functions/{domain}/src/{step}.rs")));
    for (call, module) in SHARED {
        if source.contains(call) {
            source.push_str(&read(format!("functions/{domain}/src/{module}.rs")));
        }
    }
    // Wrapped chains read as one line.
    source.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".")
}

/// The first event of a function that comes through the API: method and path.
fn route(properties: &Value) -> Option<(String, String)> {
    routes(properties).into_iter().next()
}

/// Every event of a function that comes through the API: `Route`, and where a form comes back to it, `Submit`.
pub(crate) fn routes(properties: &Value) -> Vec<(String, String)> {
    let route = |event: &Value| {
        let event = &event["Properties"];
        Some((event["Method"].as_str()?.to_owned(), event["Path"].as_str()?.to_owned()))
    };
    let events = properties["Events"].as_object();
    events.into_iter().flat_map(|events| events.values()).filter_map(route).collect()
}

/// The logical id that a `!Ref`, `!GetAtt X.Arn` or `!Sub '${X.Arn}/…'` points to.
fn target(value: &Value) -> String {
    let text = ["Ref", "GetAtt", "Sub"].iter().find_map(|tag| value[tag].as_str()).unwrap_or_else(|| panic!("{value}"));
    // Who may send mail is said of the address that it comes from.
    if text.contains(":ses:") {
        return "MailFrom".to_owned();
    }
    if text.contains(":sns:") {
        return "TextPrefixes".to_owned();
    }
    text.trim_start_matches("${").split(['.', '}']).next().unwrap().to_owned()
}

/// One thing or several, and none where nothing is said.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => vec![],
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

#[test]
fn every_bin_has_one_function_and_every_function_a_bin() {
    let template = template();
    let functions = functions(&template);
    assert_eq!(functions.keys().cloned().collect::<BTreeSet<_>>(), bins());
    for (bin, (name, properties)) in functions {
        assert_eq!(properties["CodeUri"], format!("target/lambda/{bin}/"), "{name}");
        assert_eq!(properties["FunctionName"]["Sub"], format!("${{AWS::StackName}}-{bin}"), "{name}");
        let (domain, step) = module(&bin);
        let main = read(format!("functions/{domain}/src/bin/{bin}.rs"));
        assert!(
            main.contains(&format!("{domain}::{step}::handle)")),
            "{bin} does not hand over its own module's handler"
        );
        for (method, path) in routes(properties) {
            // The dashboard's own address leads to its overview.
            let at_home = path == format!("/{domain}");
            let word = step.replace('_', "-");
            // What consumers meet has addresses of its own, which people read out and sites link to; the word is in them.
            let on_the_web = domain == "forms" && path.contains(&word);
            assert!(at_home || on_the_web || path.starts_with(&format!("/{domain}/{word}")), "{bin} is at {path}");
            assert!(main.contains(&path), "{bin} does not say its route");
            assert!(main.contains(&method), "{bin} does not say that it is reached by {method}");
        }
    }
}

#[test]
fn every_route_has_a_fixture_and_every_fixture_a_route() {
    let template = template();
    let mut routes_of = BTreeMap::new();
    for (bin, (_, properties)) in functions(&template) {
        if route(properties).is_some() {
            routes_of.insert(bin, routes(properties));
        }
    }
    let (mut seen, mut fixtures) = (BTreeSet::new(), BTreeSet::new());
    for domain in fs::read_dir(root().join("events")).unwrap().map(|entry| entry.unwrap().path()) {
        if !domain.is_dir() {
            continue;
        }
        for file in fs::read_dir(&domain).unwrap().map(|entry| entry.unwrap().path()) {
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            let bin = format!("{}-{}", domain.file_name().unwrap().to_string_lossy(), stem.split('.').next().unwrap());
            let event: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            match routes_of.get(&bin) {
                Some(routes) => {
                    let (key, method) = (&event["routeKey"], &event["requestContext"]["http"]["method"]);
                    let fits = |(m, path): &&(String, String)| *key == format!("{m} {path}") && *method == *m;
                    assert!(routes.iter().any(|route| fits(&route)), "{}: {key}", file.display());
                    fixtures.insert(key.as_str().unwrap().to_owned());
                }
                // Jobs have no route but are invoked with an event all the same.
                None => assert!(bins().contains(&bin), "{} is nobody's", file.display()),
            }
            seen.insert(bin);
        }
    }
    let all: BTreeSet<String> = routes_of.values().flatten().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(fixtures, all, "every route needs a fixture: x.json, and x.post.json where a form comes back");
    assert_eq!(seen, bins(), "every function needs a fixture in events/<domain>/<step>.json");
}

#[test]
fn the_fixtures_of_twilios_webhooks_are_signed_as_twilio_signs() {
    let keys = Keys::new(vec![EVENTS_AUTH_TOKEN.to_owned()], BTreeMap::new());
    let mut signed = 0;
    for file in fs::read_dir(root().join("events/voice")).unwrap().map(|entry| entry.unwrap().path()) {
        let event: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        if event["requestContext"]["http"]["method"] != "POST" {
            continue;
        }
        let request = SignedRequest {
            base_url: EVENTS_BASE_URL,
            path: event["rawPath"].as_str().unwrap(),
            raw_query: event["rawQueryString"].as_str().unwrap(),
            content_type: event["headers"]["content-type"].as_str(),
            body: event["body"].as_str().unwrap().as_bytes(),
            signature: event["headers"]["x-twilio-signature"].as_str(),
            settings: None,
            post: true,
        };
        let params = keys.verify(&request).unwrap_or_else(|refused| panic!("{}: {refused}", file.display()));
        assert_eq!(params.get("AccountSid"), Some(EVENTS_ACCOUNT), "{}", file.display());
        signed += 1;
    }
    assert_eq!(signed, 14);
}

#[test]
fn the_fixture_of_stripes_webhook_is_signed_as_stripe_signs() {
    let event: Value = serde_json::from_str(&read("events/webhooks/stripe.json")).unwrap();
    let secrets = stripe::Secrets::new(vec!["whsec_of_the_event_fixtures".to_owned()]);
    let (header, body) = (event["headers"]["stripe-signature"].as_str(), event["body"].as_str().unwrap());
    let at = "2026-11-21T20:00:00Z".parse().unwrap();
    assert_eq!(secrets.verify(header, body.as_bytes(), at), Ok(at));
}

#[test]
fn every_variable_that_is_set_is_read_and_every_one_read_is_set() {
    let template = template();
    let config = read("shared/platform/src/config.rs");
    // Lambda and the local cloud set these.
    let given = ["AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_ENDPOINT_URL"];
    let is_name = |name: &&str| name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let read: BTreeSet<&str> = config
        .split("read(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(is_name)
        .filter(|name| !given.contains(name))
        .collect();
    let mut set: BTreeSet<&str> = BTreeSet::new();
    let globals = template["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap();
    set.extend(globals.keys().map(String::as_str));
    for (_, properties) in functions(&template).into_values() {
        let own = properties["Environment"]["Variables"].as_object();
        set.extend(own.into_iter().flatten().map(|(name, _)| name.as_str()));
    }
    assert_eq!(set, read);
}

#[test]
fn a_function_may_do_what_its_source_calls_and_nothing_else() {
    let template = template();
    let mut wrong = vec![];
    for (bin, (name, properties)) in functions(&template) {
        let variables = properties["Environment"]["Variables"].as_object().cloned().unwrap_or_default();
        let mut by_resource: BTreeMap<String, &str> = variables
            .iter()
            .filter(|(_, value)| value.is_object())
            .map(|(name, value)| (target(value), name.as_str()))
            .collect();
        if let Some(source) = template["Resources"][format!("{name}Source")]["Properties"]["EventSourceArn"].as_object()
        {
            by_resource.insert(target(&json!(source)), "source");
        }
        let mut may = BTreeSet::new();
        // A function that asks nobody has no policy of its own.
        for policy in list(&properties["Policies"]).into_iter().filter(|policy| !policy.is_null()) {
            for statement in list(&policy["Statement"]) {
                assert_eq!(statement["Effect"], "Allow", "{bin}");
                // A telephone number is no resource: who may write to one is said by what is not.
                let named = if statement["NotResource"].is_null() { "Resource" } else { "NotResource" };
                for resource in list(&statement[named]) {
                    assert_ne!(resource, "*", "{bin} may do something to everything");
                    let variable = by_resource.get(&target(resource)).copied();
                    let variable =
                        variable.unwrap_or_else(|| panic!("{bin} may use {resource} and is not told where it is"));
                    for action in list(&statement["Action"]) {
                        let action = action.as_str().unwrap();
                        assert!(!action.contains('*'), "{bin}: {action}");
                        may.insert(format!("{action} {variable}"));
                    }
                }
            }
        }
        let source = source(&bin);
        let does: BTreeSet<String> = NEEDS
            .iter()
            .filter(|(call, _)| source.contains(call))
            .flat_map(|(_, needs)| needs.iter().map(|need| (*need).to_owned()))
            .collect();
        for superfluous in may.difference(&does) {
            wrong.push(format!("{bin} may {superfluous} and never does"));
        }
        for missing in does.difference(&may) {
            wrong.push(format!("{bin} needs {missing} and may not"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_queue_has_a_dead_letter_queue_a_key_and_alarms() {
    let template = template();
    let queues = resources(&template, "AWS::SQS::Queue");
    let alarms: Vec<String> =
        resources(&template, "AWS::CloudWatch::Alarm").into_values().map(ToString::to_string).collect();
    for (name, queue) in &queues {
        assert!(queue["Properties"]["KmsMasterKeyId"].is_object(), "{name} has no key");
        let mention = format!("{name}.QueueName");
        let watched = alarms.iter().filter(|alarm| alarm.contains(&mention)).count();
        if name.ends_with("DeadQueue") {
            assert!(watched >= 1, "nobody is told of what lies in {name}");
        } else {
            let dead = target(&queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]);
            assert!(queues.contains_key(dead.as_str()), "{name} has no dead-letter queue");
            assert!(watched >= 2, "{name} needs an alarm on its age and one on its depth, has {watched}");
        }
    }
}

#[test]
fn every_log_group_has_a_retention_and_a_key_and_every_function_a_log_group() {
    let template = template();
    let groups = resources(&template, "AWS::Logs::LogGroup");
    for (name, group) in &groups {
        assert!(!group["Properties"]["RetentionInDays"].is_null(), "{name}");
        assert!(group["Properties"]["KmsKeyId"].is_object(), "{name}");
    }
    for (bin, (_, properties)) in functions(&template) {
        let group = target(&properties["LoggingConfig"]["LogGroup"]);
        assert!(groups.contains_key(group.as_str()), "{bin} logs to {group}");
        assert_eq!(properties["Tags"]["domain"], module(&bin).0, "the alarms select by this tag");
    }
}

#[test]
fn every_table_and_bucket_is_encrypted_by_our_key_recoverable_and_protected() {
    let template = template();
    for (name, table) in resources(&template, "AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        assert_eq!(properties["SSESpecification"]["SSEType"], "KMS", "{name}");
        assert_eq!(target(&properties["SSESpecification"]["KMSMasterKeyId"]), "Key", "{name}");
        assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(properties["DeletionProtectionEnabled"], true, "{name}");
        assert_eq!(table["DeletionPolicy"], "Retain", "{name}");
    }
    for (name, bucket) in resources(&template, "AWS::S3::Bucket") {
        let properties = &bucket["Properties"];
        let block = properties["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(block.len() == 4 && block.values().all(|on| *on == true), "{name}");
        assert_eq!(properties["VersioningConfiguration"]["Status"], "Enabled", "{name}");
        assert!(properties["LifecycleConfiguration"]["Rules"].is_array(), "{name}");
        let policy = &template["Resources"][format!("{name}Policy")];
        assert_eq!(policy["Condition"], "OnAws", "{name}: the local cloud speaks plain HTTP");
        let text = policy.to_string();
        for rule in ["aws:SecureTransport", "s3:TlsVersion"] {
            assert!(text.contains(rule), "{name} lacks {rule}");
        }
    }
}

#[test]
fn a_hundred_and_ten_functions_fit_into_a_stack() {
    let template = template();
    let all = template["Resources"].as_object().unwrap().len();
    let functions = functions(&template).len();
    // SAM adds a role and a permission to each function, and two resources to the API.
    let others = all - functions + 2;
    assert!(others + 110 * 3 <= 500, "{others} resources beside the functions leave no room");
}
