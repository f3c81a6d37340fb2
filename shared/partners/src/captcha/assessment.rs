//! Google Cloud's `createAssessment`: JSON in the name of a project, with an API key for its secret.

use domain::human_check::{Refusal, Score, Settings};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attempt, Body, HumanCheck, Question, Said, Verdict, judge, misconfigured, unreadable};

/// reCAPTCHA by `createAssessment`.
#[derive(Debug)]
pub struct Assessment;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    token_properties: TokenProperties,
    risk_analysis: Option<RiskAnalysis>,
}

/// Fields with their type's default may be left out (Protocol Buffers, "JSON mapping").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenProperties {
    #[serde(default)]
    valid: bool,
    #[serde(default)]
    invalid_reason: String,
    action: Option<String>,
    hostname: Option<String>,
    create_time: Option<String>,
}

#[derive(Deserialize)]
struct RiskAnalysis {
    #[serde(default)]
    score: f64,
}

impl HumanCheck for Assessment {
    fn question(&self, settings: &Settings, secret: &str, attempt: &Attempt<'_>) -> Question {
        let event: serde_json::Map<String, Value> = [
            ("token", attempt.token),
            ("siteKey", &settings.site_key),
            ("expectedAction", attempt.action),
            ("userIpAddress", attempt.address),
            ("userAgent", attempt.agent),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
        Question {
            host: "recaptchaenterprise.googleapis.com",
            path: format!("/v1/projects/{}/assessments", settings.project.as_deref().unwrap_or_default()),
            // As good as `?key=` (Google Cloud, "Using API keys"), and in no address.
            header: Some(("x-goog-api-key", secret.to_owned())),
            body: Body::Json(json!({ "event": event })),
            repeatable: false,
        }
    }

    fn verdict(&self, settings: &Settings, attempt: &Attempt<'_>, status: u16, answer: &[u8]) -> Verdict {
        match status {
            200..300 => {}
            401 | 403 => return misconfigured("the API key may not do this"),
            404 => return misconfigured("there is no such project"),
            _ => return misconfigured("the provider refuses the question"),
        }
        let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
            return unreadable("its answer cannot be read");
        };
        let token = answer.token_properties;
        if !token.valid {
            return Verdict::NotHuman(match token.invalid_reason.as_str() {
                "DUPE" => Refusal::Duplicate,
                "EXPIRED" => Refusal::Expired,
                _ => Refusal::Invalid,
            });
        }
        let said = Said {
            host: token.hostname.as_deref(),
            action: token.action.as_deref(),
            made_at: token.create_time.as_deref().and_then(|at| at.parse::<Timestamp>().ok()),
            score: answer.risk_analysis.and_then(|risk| Score::of(risk.score)),
        };
        judge(settings, attempt, &said)
    }
}
