//! What every mail has around its content. Mail programs know neither style sheets nor variables, so the little style there
//! is stands inline; and there are no colours of text or paper, so a program that turns its pages dark turns ours, too.

use domain::language::Language;
use maud::{DOCTYPE, Markup, html};

pub(crate) const BUTTON: &str = "display:inline-block;padding:12px 20px;border-radius:6px;background:#0b5c50;\
                                 color:#ffffff;text-decoration:none;font-weight:600";
pub(crate) const SMALL: &str = "font-size:14px";
/// Links keep the colour of what they stand in: a blue of ours would be hard to read on somebody's dark paper.
pub(crate) const LINK: &str = "color:inherit";

/// The document of a mail.
pub(crate) fn page(language: Language, subject: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang=(language.code()) style="color-scheme:light dark" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (subject) }
            }
            body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif" {
                div style="max-width:560px;margin:0 auto" {
                    (content)
                    p { "Optline" }
                }
            }
        }
    }
    .into_string()
}
