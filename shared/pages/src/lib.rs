//! Pages: layout, components, charts, words and assets of everything Optline shows in a browser.
//!
//! | read | module | what it is for |
//! |---|---|---|
//! | 1 | [`frame`] | the whole document: [`page`] for people who are signed in, [`door`] for those who are not |
//! | 1 | [`consumer`] | the same for consumers, in the business's name and colour |
//! | 2 | [`form`] | forms, their fields, and buttons |
//! | 3 | [`show`] | notices, cards, tables, badges, due dates, timelines and the rest of what a page shows |
//! | 4 | [`chart`] | charts as SVG, each with the table it was drawn from |
//! | 5 | [`problem`](mod@problem) | pages that say why there is no page, and what to do next |
//! | 6 | [`texts`], [`words`], [`format`](mod@format) | words in every language; what the domain's words are called; dates and numbers |
//! | 7 | [`assets`] | style sheet, script and icon, under names that change with their content |
//! | 8 | [`embed`] | the script and the snippet that put a form into a business's own site |
//! | 9 | [`csv`] | rows for a spreadsheet, none of which it takes for a formula |
//!
//! Everything here is a value or a function that gives [`maud::Markup`], escaped. A page works without its script and
//! has no style or script inside it, so that the content security policy can forbid both. Components implement
//! [`maud::Render`] and are put into `html!` as they are:
//!
//! ```
//! use domain::language::Language;
//! use maud::html;
//! use pages::form::{Button, Field, Form};
//!
//! let form = Form::post(Language::English, "/dashboard/account", "csrf-token")
//!     .body(html! {
//!         (Field::text("name", "Your name").value("Ana").required())
//!         (Button::primary("Save"))
//!     });
//! assert!(html! { (form) }.into_string().contains("name=\"csrf\""));
//! ```

pub mod assets;
pub mod chart;
pub mod consumer;
pub mod csv;
pub mod embed;
pub mod form;
pub mod format;
pub mod frame;
pub mod icon;
pub mod problem;
pub mod show;
pub mod texts;
pub mod words;

pub use frame::{Frame, Section, door, page};
pub use icon::Icon;
pub use problem::{Problem, problem};
pub use texts::{fill, plural};

#[cfg(test)]
mod tests;
