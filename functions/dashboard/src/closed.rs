//! What stands above a page of a closed account: what has happened, and what happens when.

use domain::closure::Closure;
use domain::language::Language;
use maud::{Markup, html};
use pages::show::Notice;
use pages::texts::either;
use pages::{fill, format};

/// Nothing where the account is open.
pub(crate) fn banner(language: Language, closure: &Closure) -> Markup {
    let Some(closed) = closure.closed() else { return html! {} };
    let erased = closed.erased_on(closed.told_on.unwrap_or(closed.on));
    let (on, erased) = (format::long_date(language, closed.on), format::long_date(language, erased));
    let values = [("on", on.as_str()), ("erased", erased.as_str())];
    let title = either(
        language,
        "This account was closed on {on}, and is erased on {erased}",
        "Esta cuenta se cerró el {on} y se borrará el {erased}",
    );
    let taken = either(
        language,
        "Nobody can make a request by telephone or on the web any more. Requests that are open must still be answered by their dates.",
        "Ya nadie puede hacer solicitudes por teléfono ni en la web. Las que siguen abiertas deben responderse igualmente en su plazo.",
    );
    let keep = either(
        language,
        "Until then everything can be exported. If this is a mistake, tell us before that day, and it is opened again as it was.",
        "Hasta entonces se puede exportar todo. Si es un error, díganoslo antes de ese día y la abriremos de nuevo como estaba.",
    );
    html! { (Notice::warning(fill(title, &values)).body(html! { p { (taken) } p { (keep) } })) }
}

#[cfg(test)]
mod tests {
    use domain::closure::Closed;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_closed_account_says_so_with_its_dates_and_an_open_one_nothing() {
        assert_eq!(banner(Language::English, &Closure::Open).into_string(), "");
        let closure = Closure::Closed(Closed::new("shop".to_owned(), date(2026, 11, 22), 1));
        for (language, erased) in
            [(Language::English, "February 20, 2027"), (Language::Spanish, "20 de febrero de 2027")]
        {
            let text = banner(language, &closure).into_string();
            assert!(text.contains(erased) && !text.contains('{'), "{text}");
        }
    }
}
