//! Text messages through SNS: codes for people who gave a telephone number and nothing else.
//!
//! Every message costs whoever runs the system money, and some numbers earn money for whoever owns them. So only
//! numbers that begin as `TEXT_PREFIXES` says are written to (+1 unless set), and of the numbers behind +1 only those of
//! the United States and Canada, unless a prefix names another area code itself.

use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::phone::E164;

use crate::Error;
use crate::config::Config;

/// What is written to where nothing else is configured.
const NORTH_AMERICA: &str = "+1";
/// Area codes behind +1 that are neither in the United States nor in Canada (North American Numbering Plan
/// Administrator, "Area codes by country"), and 900, whose callers pay.
const ELSEWHERE: [&str; 24] = [
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809",
    "829", "849", "868", "869", "876", "900", "976", "700",
];

/// Sends text messages.
#[derive(Debug)]
pub struct Texter {
    client: aws_sdk_sns::Client,
    prefixes: Vec<String>,
}

impl Texter {
    pub(crate) fn new(client: aws_sdk_sns::Client, config: &Config) -> Self {
        let prefixes = config.text_prefixes.as_deref().unwrap_or(NORTH_AMERICA);
        Self { client, prefixes: prefixes.split(',').map(|prefix| prefix.trim().to_owned()).collect() }
    }

    /// Whether a number is one that is written to.
    #[must_use]
    pub fn reaches(&self, number: &E164) -> bool {
        reaches(&self.prefixes, number.as_str())
    }

    /// Sends a message. The number is in no error.
    pub async fn send(&self, to: &E164, message: &str) -> Result<(), Error> {
        let kind = MessageAttributeValue::builder().data_type("String").string_value("Transactional").build();
        self.client
            .publish()
            .phone_number(to.as_str())
            .message(message)
            .message_attributes("AWS.SNS.SMS.SMSType", kind.map_err(Error::failed("writing a text message"))?)
            .send()
            .await
            .map(|_| ())
            // What SNS says of a number that it does not take quotes the number.
            .map_err(|error| Error::Failed {
                doing: "sending a text message",
                source: error.into_service_error().code().unwrap_or("SNS did not answer").into(),
            })
    }
}

fn reaches(prefixes: &[String], number: &str) -> bool {
    let elsewhere =
        number.strip_prefix(NORTH_AMERICA).is_some_and(|rest| ELSEWHERE.iter().any(|it| rest.starts_with(it)));
    prefixes
        .iter()
        .filter(|prefix| !prefix.is_empty())
        .any(|prefix| number.starts_with(prefix.as_str()) && !(elsewhere && prefix == NORTH_AMERICA))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_the_united_states_and_canada_are_written_to_unless_more_are_named() {
        let to = |prefixes: &[&str], number: &str| {
            let prefixes: Vec<String> = prefixes.iter().map(|it| (*it).to_owned()).collect();
            reaches(&prefixes, number)
        };
        assert!(to(&["+1"], "+12135550123"));
        assert!(to(&["+1"], "+14165550123"));
        for dear in ["+18765550123", "+19005550123", "+442079460123", "+96765550123"] {
            assert!(!to(&["+1"], dear), "{dear}");
        }
        assert!(to(&["+1", "+44"], "+442079460123"));
        assert!(to(&["+1", "+1876"], "+18765550123"));
        assert!(!to(&[""], "+12135550123"), "nothing named is nobody written to");
    }
}
