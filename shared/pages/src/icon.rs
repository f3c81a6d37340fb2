//! Icons, drawn inline: they take the colour of the text beside them and say nothing of their own.

use maud::{Markup, PreEscaped, Render, html};

/// A small drawing beside a word. It is hidden from screen readers; the word says what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "an icon is what its name says")]
pub enum Icon {
    Overview,
    Inbox,
    Hash,
    People,
    Settings,
    Meter,
    Chain,
    Report,
    Person,
    Menu,
    Check,
    Warning,
    Info,
    Stop,
    Clock,
    Late,
    Next,
    First,
    Plus,
    Download,
    Upload,
    Copy,
    Key,
    Lock,
    Search,
    Out,
    Bin,
    Pen,
    List,
    Page,
    Funnel,
    Speech,
    Phone,
    Globe,
    Letter,
    Attach,
    Undo,
    Filter,
    Ring,
    Dashed,
    Half,
    Most,
    Question,
}

impl Icon {
    /// The paths, on a field of 24 by 24.
    const fn paths(self) -> &'static str {
        match self {
            Self::Overview => r#"<path d="M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z"/>"#,
            Self::Inbox => {
                r#"<path d="M4 13 6.5 5h11L20 13v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM4 13h5l1.2 2.5h3.6L15 13h5"/>"#
            }
            Self::Hash => r#"<path d="M9.5 4 7.5 20M16.5 4l-2 16M4.5 9.5h16M3.5 15h16"/>"#,
            Self::People => {
                r#"<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c0-3.5 3-6 6.5-6s6.5 2.5 6.5 6M16 5a3.5 3.5 0 0 1 0 6.6M18 14.6c2.2.8 3.5 2.8 3.5 5.4"/>"#
            }
            Self::Settings => {
                r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#
            }
            Self::Meter => r#"<path d="M4 18a8.5 8.5 0 1 1 16 0M12 15l4-5"/><circle cx="12" cy="15.5" r="1.2"/>"#,
            Self::Chain => {
                r#"<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7L12 17.7"/>"#
            }
            Self::Report => r#"<path d="M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5M9.5 17v-3M12.5 17v-5.5"/>"#,
            Self::Person => {
                r#"<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c0-4 3.4-6.5 7.5-6.5s7.5 2.5 7.5 6.5"/>"#
            }
            Self::Menu => r#"<path d="M4 7h16M4 12h16M4 17h16"/>"#,
            Self::Check => r#"<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8L16 9.5"/>"#,
            Self::Warning => r#"<path d="M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.3"/>"#,
            Self::Info => r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.5v.3"/>"#,
            Self::Stop => r#"<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3zM8 12h8"/>"#,
            Self::Clock => r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>"#,
            Self::Late => r#"<path d="M12 2.5 21.5 12 12 21.5 2.5 12zM12 8v4.5M12 15.7v.3"/>"#,
            Self::Next => r#"<path d="m9 5 7 7-7 7"/>"#,
            Self::First => r#"<path d="m18 5-7 7 7 7M6.5 5v14"/>"#,
            Self::Plus => r#"<path d="M12 5v14M5 12h14"/>"#,
            Self::Download => r#"<path d="M12 4v11M7 10.5l5 5 5-5M5 20h14"/>"#,
            Self::Upload => r#"<path d="M12 16V5M7 9.5l5-5 5 5M5 20h14"/>"#,
            Self::Copy => {
                r#"<rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2"/><path d="M15.5 8.5V4H4v11.5h4.5"/>"#
            }
            Self::Key => r#"<circle cx="8" cy="15.5" r="4.5"/><path d="m11.3 12.3 8.2-8.3M16.5 7l2.5 2.5"/>"#,
            Self::Lock => {
                r#"<rect x="5" y="10.5" width="14" height="10" rx="2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>"#
            }
            Self::Search => r#"<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>"#,
            Self::Out => r#"<path d="M10 4H5v16h5M9.5 12H20M16 8l4 4-4 4"/>"#,
            Self::Bin => r#"<path d="M4 6.5h16M9 6.5V4h6v2.5M6 6.5 7 20.5h10l1-14M10 10.5v6M14 10.5v6"/>"#,
            Self::Pen => r#"<path d="m4 20 1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5 17.5 10"/>"#,
            Self::List => r#"<path d="M9 6h11M9 12h11M9 18h11M4.5 6h.3M4.5 12h.3M4.5 18h.3"/>"#,
            Self::Page => r#"<path d="M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5M9 12.5h6M9 16h6"/>"#,
            Self::Funnel => r#"<path d="M4 5h16l-6 7.5V19l-4 1.5v-8z"/>"#,
            Self::Speech => r#"<path d="M4 5h16v11h-8l-4.5 4v-4H4z"/>"#,
            Self::Phone => {
                r#"<path d="M5 4h4l1.5 5-2.3 1.6a12 12 0 0 0 5.2 5.2L15 13.5l5 1.5v4c0 .6-.4 1-1 1A15 15 0 0 1 4 5c0-.6.4-1 1-1z"/>"#
            }
            Self::Globe => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18"/>"#
            }
            Self::Letter => r#"<path d="M3.5 6h17v12.5h-17zM3.5 7l8.5 6.5L20.5 7"/>"#,
            Self::Attach => r#"<path d="m8 13 6-6a2.8 2.8 0 0 1 4 4l-8 8a4.5 4.5 0 0 1-6.4-6.4l7.4-7.4"/>"#,
            Self::Undo => r#"<path d="M8.5 5 4 9.5 8.5 14M4.5 9.5H14a5.5 5.5 0 0 1 0 11h-3"/>"#,
            Self::Filter => r#"<path d="M4 6.5h16M7 12h10M10 17.5h4"/>"#,
            Self::Ring => r#"<circle cx="12" cy="12" r="8.5"/>"#,
            Self::Dashed => r#"<circle cx="12" cy="12" r="8.5" stroke-dasharray="3.5 3.2"/>"#,
            Self::Half => {
                r#"<circle cx="12" cy="12" r="8.5"/><path fill="currentColor" stroke="none" d="M12 3.5a8.5 8.5 0 0 1 0 17z"/>"#
            }
            Self::Most => {
                r#"<circle cx="12" cy="12" r="8.5"/><path fill="currentColor" stroke="none" d="M12 12V3.5a8.5 8.5 0 1 1-8.5 8.5z"/>"#
            }
            Self::Question => {
                r#"<circle cx="12" cy="12" r="8.5"/><path d="M9.7 9.7a2.4 2.4 0 1 1 3.3 2.3c-.7.3-1 .8-1 1.5M12 16.3v.3"/>"#
            }
        }
    }
}

impl Render for Icon {
    fn render(&self) -> Markup {
        html! {
            svg.icon viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false" {
                (PreEscaped(self.paths()))
            }
        }
    }
}
