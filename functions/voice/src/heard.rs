//! What the caller did.

use platform::edge::Webhook;

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing at all. Never read as "no".
    Silence,
    /// `*`: say it again.
    Repeat,
    /// `0`: explain.
    Help,
    /// Digits.
    Keys(String),
}

impl Heard {
    /// From the parameters of a `<Gather>` action, or of the redirect that follows one that got nothing.
    pub(crate) fn from(webhook: &Webhook) -> Self {
        // `#` ends an entry; it is part of `Digits` only where somebody pressed it first.
        let digits = webhook.params.get("Digits").unwrap_or_default().trim_matches('#');
        match digits {
            "" => Self::Silence,
            "0" => Self::Help,
            keys if keys.ends_with('*') => Self::Repeat,
            keys => Self::Keys(keys.to_owned()),
        }
    }

    /// The one key that a menu's answer is.
    pub(crate) fn key(&self) -> Option<char> {
        match self {
            Self::Keys(keys) => Some(keys.chars().next()?).filter(|_| keys.chars().count() == 1),
            _ => None,
        }
    }
}
