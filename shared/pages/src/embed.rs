//! What a business puts into its own site: a script, under an address that changes with its content, and the snippet that
//! loads it.
//!
//! A snippet names the script with its hash (Subresource Integrity, W3C), so what a site once loads is never changed under
//! its address. A new script is a file of its own, put before the others here, and those stay.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::service_code::ServiceCode;
use sha2::{Digest, Sha256, Sha384};

/// Every script that a site may load, the newest first.
const SCRIPTS: [&str; 1] = [include_str!("../assets/embed.js")];

/// A script of one service code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What is in it.
    pub text: String,
    /// What it is called by its content: 16 hex digits.
    pub version: String,
}

impl Script {
    fn new(text: &str, base_url: &str, code: &ServiceCode) -> Self {
        let text = text.replace("__BASE__", base_url).replace("__CODE__", code.as_str());
        let mut version = String::with_capacity(16);
        for byte in Sha256::digest(text.as_bytes()).iter().take(8) {
            // Writing to a String cannot fail.
            let _ = write!(version, "{byte:02x}");
        }
        Self { text, version }
    }

    /// The newest script for a code. `base_url` is an origin, so nothing in it needs to be escaped.
    #[must_use]
    pub fn newest(base_url: &str, code: &ServiceCode) -> Self {
        let [newest, ..] = SCRIPTS;
        Self::new(newest, base_url, code)
    }

    /// The script that some site knows by this version.
    #[must_use]
    pub fn find(version: &str, base_url: &str, code: &ServiceCode) -> Option<Self> {
        SCRIPTS.iter().map(|text| Self::new(text, base_url, code)).find(|script| script.version == version)
    }

    /// The value of `integrity`.
    #[must_use]
    pub fn integrity(&self) -> String {
        format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(self.text.as_bytes())))
    }
}

/// The lines that put the form of a code into a page.
#[must_use]
pub fn snippet(base_url: &str, code: &ServiceCode) -> String {
    let script = Script::newest(base_url, code);
    format!(
        "<div data-optline-form=\"{code}\"></div>\n\
         <script src=\"{base_url}/forms/{code}/embed.js?v={}\"\n        integrity=\"{}\"\n        \
         crossorigin=\"anonymous\" async></script>\n\
         <noscript><a href=\"{base_url}/forms/{code}\">Privacy request / Solicitud de privacidad</a></noscript>",
        script.version,
        script.integrity(),
    )
}

/// The lines for every other page of a site: they tell it which browsers have opted out, and tell us of those that send the
/// opt-out preference signal (Global Privacy Control). What the site then stops, its own tag manager knows.
#[must_use]
pub fn listener(base_url: &str, code: &ServiceCode) -> String {
    let script = Script::newest(base_url, code);
    format!(
        "<p data-optline-gpc></p>\n\
         <script>\n  addEventListener(\"optline:gpc\", () => {{\n    // Stop what sells or shares: advertising tags, \
         pixels, partners.\n  }});\n</script>\n\
         <script src=\"{base_url}/forms/{code}/embed.js?v={}\"\n        integrity=\"{}\"\n        \
         crossorigin=\"anonymous\" async data-form=\"none\"></script>",
        script.version,
        script.integrity(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://hotline.example";

    fn code() -> ServiceCode {
        ServiceCode::parse("4321").unwrap()
    }

    #[test]
    fn a_script_is_found_by_its_content_and_by_nothing_else() {
        let script = Script::newest(BASE, &code());
        assert_eq!(Script::find(&script.version, BASE, &code()), Some(script.clone()));
        assert_eq!(Script::find("", BASE, &code()), None);
        assert_eq!(Script::find(&script.version, BASE, &ServiceCode::parse("4322").unwrap()), None);
        assert!(!script.text.contains("__") && script.text.contains(BASE) && script.text.contains("\"4321\""));
    }

    #[test]
    fn the_script_is_small_and_speaks_to_no_other_origin() {
        let script = Script::newest(BASE, &code());
        assert!(script.text.len() < 16 * 1024, "{}", script.text.len());
        assert!(!script.text.contains("\"*\"") && !script.text.contains("innerHTML") && !script.text.contains("eval"));
        assert_eq!(script.text.matches("https://").count(), script.text.matches(BASE).count());
    }

    #[test]
    fn the_lines_for_other_pages_listen_for_opt_outs_and_show_no_form() {
        let (listener, script) = (listener(BASE, &code()), Script::newest(BASE, &code()));
        assert!(listener.contains("data-form=\"none\"") && listener.contains(&script.integrity()), "{listener}");
        for name in ["optline:gpc", "data-optline-gpc"] {
            assert!(listener.contains(name) && script.text.contains(name), "{name}: {listener}");
        }
    }

    #[test]
    fn the_script_believes_the_browser_about_the_signal_and_sends_no_cookie() {
        let text = Script::newest(BASE, &code()).text;
        assert!(text.contains("navigator.globalPrivacyControl === true"));
        assert!(text.contains("credentials: \"omit\"") && !text.contains("document.cookie"));
        assert!(text.contains("/privacy-choices/${CODE}/signal"));
    }

    #[test]
    fn the_scripts_of_two_codes_on_one_page_both_hear_and_are_told() {
        let text = Script::newest(BASE, &code()).text;
        for handed_on in ["others?.onGpc?.(callback)", "others?.identify?.(known)"] {
            assert!(text.contains(handed_on), "{handed_on}");
        }
    }

    #[test]
    fn the_snippet_names_the_script_with_its_hash() {
        let snippet = snippet(BASE, &code());
        let script = Script::newest(BASE, &code());
        assert!(snippet.contains(&format!("?v={}\"", script.version)), "{snippet}");
        assert!(snippet.contains(&format!("integrity=\"{}\"", script.integrity())), "{snippet}");
        assert_eq!(script.integrity().len(), "sha384-".len() + 64);
    }
}
