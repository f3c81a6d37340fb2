//! What a page says to a browser that sends the opt-out preference signal: that it was processed. 11 CCR 7025(c)(6).

use domain::language::Language;
use maud::{Markup, html};
use pages::show::Notice;
use pages::texts::either;

/// For the top of a page, under its heading; nothing where the browser sends no signal (`Visit::gpc`).
pub(crate) fn signal_notice(gpc: bool, language: Language) -> Markup {
    html! { @if gpc { div #gpc-honored { (honored(language)) } } }
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
    use super::*;

    #[test]
    fn only_a_browser_that_sends_the_signal_is_told_that_it_is_honoured() {
        for language in Language::ALL {
            assert_eq!(signal_notice(false, language).0, "");
            let notice = signal_notice(true, language).0;
            assert!(notice.contains(title(language)) && notice.contains("id=\"gpc-honored\""), "{notice}");
        }
    }
}
