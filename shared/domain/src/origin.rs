//! The web origins from which a form is accepted.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::email::is_host_name;
use crate::language::Words;

/// A web origin as a browser's `Origin` header has it (RFC 6454), or `https://*.` and a domain for all below it.
///
/// Lower case, Punycode, without the scheme's own port, path, query or user. `https`, but for this very computer
/// (`localhost`, names below it, 127.0.0.1, `[::1]`), which may be `http`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// Why a text is not an origin that a form can be accepted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Nothing was entered.
    #[error("enter the address of a site")]
    Empty,
    /// It does not begin with `https://`.
    #[error("begin with https://")]
    NotHttps,
    /// There is more than a host and a port.
    #[error("enter the site alone, without a path, a question mark or a user name")]
    MoreThanAnOrigin,
    /// The host is none.
    #[error("enter a site's name such as https://www.example.com")]
    NotAHost,
    /// A `*` that is not the whole first label.
    #[error("write a star only as https://*.example.com")]
    StarInside,
    /// Anybody can have a name there.
    #[error("anybody can have a site below this name; name the site itself")]
    TooWide,
}

impl OriginError {
    /// What to change, for the person who filled in the field.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::Empty => Words { en: "Enter the address of a site.", es: "Escriba la dirección de un sitio." },
            Self::NotHttps => Words { en: "Begin with https://.", es: "Empiece con https://." },
            Self::MoreThanAnOrigin => Words {
                en: "Enter the site alone, without a path, a question mark or a user name.",
                es: "Escriba solo el sitio, sin ruta, signo de interrogación ni nombre de usuario.",
            },
            Self::NotAHost => Words {
                en: "Enter a site’s name such as https://www.example.com.",
                es: "Escriba el nombre de un sitio, como https://www.example.com.",
            },
            Self::StarInside => Words {
                en: "Write a star only as in https://*.example.com.",
                es: "Escriba el asterisco solo como en https://*.example.com.",
            },
            Self::TooWide => Words {
                en: "Anybody can have a site below this name. Name your site itself.",
                es: "Cualquiera puede tener un sitio bajo este nombre. Escriba el nombre de su propio sitio.",
            },
        }
    }
}

/// The second labels under which countries register names for anybody.
const REGISTRIES: [&str; 14] =
    ["ac", "co", "com", "edu", "gob", "gov", "ind", "info", "ltd", "ne", "net", "nom", "or", "org"];

/// Names below which a service gives a name to anybody: the most used of the Public Suffix List's private part. The
/// list itself has 10,000 and changes weekly; a star is the tenant's own choice, and this stops the usual slips.
const FOR_ANYBODY: [&str; 26] = [
    "amazonaws.com",
    "appspot.com",
    "azurewebsites.net",
    "bigcartel.com",
    "blogspot.com",
    "cloudfront.net",
    "firebaseapp.com",
    "fly.dev",
    "framer.website",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "hubspotpagebuilder.com",
    "myshopify.com",
    "netlify.app",
    "ngrok.app",
    "onrender.com",
    "pages.dev",
    "squarespace.com",
    "vercel.app",
    "web.app",
    "webflow.io",
    "weebly.com",
    "wixsite.com",
    "wordpress.com",
    "workers.dev",
];

impl Origin {
    /// Reads an origin as a person enters it; one `/` at its end is forgiven.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(OriginError::Empty);
        }
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::NotHttps)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return Err(OriginError::NotHttps);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '@', '\\']) {
            return Err(OriginError::MoreThanAnOrigin);
        }
        // The URL standard drops line breaks and takes escapes for what they stand for: here they are a slip or a trick.
        if rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '%') || rest.ends_with(':') {
            return Err(OriginError::NotAHost);
        }
        let (star, rest) = rest.strip_prefix("*.").map_or((false, rest), |rest| (true, rest));
        if rest.contains('*') {
            return Err(OriginError::StarInside);
        }
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| OriginError::NotAHost)?;
        let here = match url.host() {
            Some(Host::Domain(domain)) if is_host_name(domain) => {
                domain == "localhost" || domain.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) if address.is_loopback() => true,
            Some(Host::Ipv6(address)) if address.is_loopback() => true,
            _ => return Err(OriginError::NotAHost),
        };
        let host = url.host_str().ok_or(OriginError::NotAHost)?;
        if !here && !host.contains('.') {
            return Err(if star { OriginError::TooWide } else { OriginError::NotAHost });
        }
        if scheme == "http" && !here {
            return Err(OriginError::NotHttps);
        }
        if star && (here || is_for_anybody(host)) {
            return Err(if here { OriginError::StarInside } else { OriginError::TooWide });
        }
        let port = match url.port() {
            Some(0) => return Err(OriginError::NotAHost),
            Some(port) => format!(":{port}"),
            None => String::new(),
        };
        let star = if star { "*." } else { "" };
        Ok(Self(format!("{scheme}://{star}{host}{port}")))
    }

    /// Whether a request's `Origin` header names this origin. `null` never does.
    ///
    /// A star stands for one label or several, and never for none.
    #[must_use]
    pub fn matches(&self, header: &str) -> bool {
        let Some(below) = self.0.strip_prefix("https://*") else { return self.0 == header };
        // Without the host's end a name such as `evilexample.com` would do: `below` begins with its dot.
        let Some(labels) = header.strip_prefix("https://").and_then(|rest| rest.strip_suffix(below)) else {
            return false;
        };
        is_host_name(labels)
    }

    /// Whether this origin is on a host, whatever the port: what a human check's provider says of where its widget was.
    #[must_use]
    pub fn is_on(&self, host: &str) -> bool {
        let Some((_, rest)) = self.0.split_once("://") else { return false };
        // A port, but not what stands inside of an IPv6 address.
        let own = match rest.rsplit_once(':') {
            Some((own, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => own,
            _ => rest,
        };
        match own.strip_prefix('*') {
            Some(below) => host.strip_suffix(below).is_some_and(is_host_name),
            None => own == host,
        }
    }

    /// The origin as it is shown and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether anybody can have a name below this one.
fn is_for_anybody(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let registry = match labels.as_slice() {
        [_] => true,
        [second, country] => country.len() == 2 && REGISTRIES.contains(second),
        _ => false,
    };
    registry || FOR_ANYBODY.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")) && is_shared(name))
}

/// Whether names below a service's name are again given to anybody, by region: `s3.us-east-1.amazonaws.com`.
fn is_shared(name: &str) -> bool {
    name == "amazonaws.com"
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

#[cfg(test)]
mod tests;
