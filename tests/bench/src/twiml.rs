//! Where a TwiML document sends the call next.

use phone::document::{self, Element};

use crate::Error;

/// What Twilio does after a document, as far as it ends in another webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The caller keys digits, which go to this address.
    Keys(String),
    /// The caller is recorded.
    Recording {
        /// Where the end of the recording is told.
        action: String,
        /// Where it is told that the recording can be fetched.
        status: Option<String>,
        /// Where the transcript goes.
        transcript: Option<String>,
    },
    /// The call goes on at this address.
    Redirect(String),
    /// The call is over.
    End,
}

/// The first verb that waits for the caller or leads elsewhere.
pub fn next(document: &str) -> Result<Next, Error> {
    let response = document::read(document)
        .map_err(|(code, why)| Error::say("a document", &format!("is refused by Twilio with {code}"), &why))?;
    let next = response.children.iter().find_map(|verb| match verb.name.as_str() {
        "Gather" => Some(Next::Keys(attribute(verb, "action").unwrap_or_default())),
        "Record" => Some(Next::Recording {
            action: attribute(verb, "action").unwrap_or_default(),
            status: attribute(verb, "recordingStatusCallback"),
            transcript: attribute(verb, "transcribeCallback"),
        }),
        "Redirect" => Some(Next::Redirect(verb.words())),
        "Hangup" => Some(Next::End),
        _ => None,
    });
    Ok(next.unwrap_or(Next::End))
}

fn attribute(verb: &Element, name: &str) -> Option<String> {
    verb.attribute(name).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_leads_to_its_first_verb_that_waits() {
        let cases = [
            (
                r#"<Response><Say>a</Say><Gather action="https://h/a?x=1&amp;y=2"><Say>b</Say></Gather><Redirect>c</Redirect></Response>"#,
                Next::Keys("https://h/a?x=1&y=2".into()),
            ),
            (
                "<Response><Redirect method=\"POST\"> https://h/b </Redirect></Response>",
                Next::Redirect("https://h/b".into()),
            ),
            ("<Response><Say>bye</Say><Hangup/></Response>", Next::End),
            (
                r#"<Response><Record action="a" recordingStatusCallback="s"/></Response>"#,
                Next::Recording { action: "a".into(), status: Some("s".into()), transcript: None },
            ),
        ];
        for (document, expected) in cases {
            assert_eq!(next(document).unwrap(), expected);
        }
    }
}
