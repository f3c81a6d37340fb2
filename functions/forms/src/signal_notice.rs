//! What a page says to a browser that sends the opt-out preference signal: that it was processed. 11 CCR 7025(c)(6).

use domain::language::Language;
use maud::{Markup, html};
use pages::show::Notice;
use pages::texts::either;
use platform::edge::Visit;

/// For the top of a page; nothing where the browser sends no signal.
pub(crate) fn signal_notice(visit: &Visit, language: Language) -> Markup {
    html! { @if visit.gpc { div #gpc-honored { (honored(language)) } } }
}

/// The notice itself.
fn honored(language: Language) -> Notice {
    Notice::success(title(language)).body(html! {
        p {
            (either(
                language,
                "Your browser sends the Global Privacy Control signal. It counts as your opt-out of sale and sharing here, and \
                 you need do nothing for it.",
                "Su navegador envía la señal de Control Global de Privacidad. Aquí cuenta como su solicitud de no vender ni \
                 compartir, y no tiene que hacer nada más.",
            ))
        }
    })
}

/// The words that 11 CCR 7025(c)(6) gives as an example.
pub(crate) const fn title(language: Language) -> &'static str {
    match language {
        Language::English => "Opt-out request honored",
        Language::Spanish => "Se respeta su solicitud de no vender ni compartir",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use platform::edge::Client;

    use super::*;

    #[test]
    fn only_a_browser_that_sends_the_signal_is_told_that_it_is_honoured() {
        for language in Language::ALL {
            let mut visit = Visit::get("/forms/12", language, Client::default(), "", Timestamp::UNIX_EPOCH);
            assert_eq!(signal_notice(&visit, language).0, "");
            visit.gpc = true;
            let notice = signal_notice(&visit, language).0;
            assert!(notice.contains(title(language)) && notice.contains("id=\"gpc-honored\""), "{notice}");
        }
    }
}
