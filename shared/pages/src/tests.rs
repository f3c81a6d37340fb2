//! What holds for every page and component.

use domain::FieldError;
use domain::language::Language;
use domain::request::{Channel, Kind, State};
use jiff::civil::date;
use maud::{Markup, Render, html};
use proptest::prelude::*;

use crate::chart::{self, Series, Tile};
use crate::form::{self, Button, Check, Choices, Field, Form, Passkey, Select};
use crate::frame::{Frame, Section, door, page};
use crate::show::{self, Card, Empty, Facts, Heading, Moment, Notice, Tab, Table, Tone};
use crate::texts::differences;
use crate::{Icon, Problem, assets, problem};

fn frame(language: Language, words: &str) -> Frame {
    Frame {
        language,
        tenant_name: words.to_owned(),
        user_name: words.to_owned(),
        role: words.to_owned(),
        csrf: words.to_owned(),
        section: Section::Requests,
        sections: Section::ALL.to_vec(),
    }
}

fn fields(language: Language, words: &str) -> Markup {
    let errors = [FieldError::new("name", words), FieldError::new("kinds", words), FieldError::new("", words)];
    html! {
        (Form::post(language, words, words).id("first").errors(&errors).with_file().body(html! {
            (Field::text("name", words).value(words).hint(words).errors(&errors).required().max_length(100))
            (Field::email("email", words).value(words).optional(language))
            (Field::password(language, "password", words, "new-password").value(words))
            (Field::number("n", words).value(words).range(Some(1), Some(9)))
            (Field::date("on", words).value(words))
            (Field::one_time_code("code", words).autofocus())
            (Field::area("details", words, 4).value(words).error(Some(words)))
            (Field::file("file", words, "audio/*").value(words))
            (Field::search("q", words).value(words).quiet_label())
            (Select::new("role", words).choice(words, words).chosen(words).hint(words))
            (Choices::checkboxes("kinds", words).choice(words, words).explained("b", words, words).chosen([words]).errors(&errors))
            (Choices::radios("ground", words).choice(words, words).unavailable("b", words, words).hint(words))
            (Check::new("sure", words).on(true).hint(words))
            (Check::switch("active", words).value(words))
            (form::hidden("version", words))
            (form::group(words, Some(words), form::row(Field::text("row", words))))
            (form::actions(html! {
                (Button::primary(words).sends("do", words).icon(Icon::Check).about(words))
                (Button::danger(words).form_action(words))
                (Button::quiet(words).to(words))
                (Button::secondary(words).download(words))
            }))
        }))
        (form::filters(language, words, Some(words), Field::text("filter", words)))
        (form::passkey_button(language, Passkey::SignIn, words, words, words, Some(words)))
    }
}

fn shown(language: Language, words: &str) -> Markup {
    let at = date(2027, 1, 5).at(15, 7, 0, 0).in_tz("America/Los_Angeles").unwrap();
    html! {
        (Heading::new(words).lede(words).badges(show::state(language, State::Received)).actions(Button::primary(words))
            .above(language, &[(words, words)]))
        @for notice in [Notice::info(words), Notice::success(words), Notice::warning(words), Notice::danger(words)] {
            (notice.body(words))
        }
        (Card::new(words).id("card").lede(words).actions(words).body(words))
        (Table::new(words).column(words).numbers(words).buttons(words).selectable(language, words, words)
            .selectable_row(words, words, vec![words.render(), words.render(), words.render()]).pressing(true))
        (Empty::new(words, words).action(Button::primary(words).to(words)))
        (show::pagination(language, Some(words), Some(words)))
        @for state in State::ALL { (show::state(language, state)) }
        @for kind in Kind::ALL { (show::kind(language, kind)) }
        (show::channel(language, Channel::Phone))
        @for days in [-2, 0, 9] { (show::due(language, date(2027, 1, 5), days)) }
        (Facts::new().fact(words, words).noted(words, words, words).maybe(words, Some(words)))
        (show::timeline(language, &[Moment { at, who: words.to_owned(), what: words.render(), tone: Tone::Success }]))
        (show::tabs(words, &[Tab { href: words, label: words, current: true, count: Some(1_000) }]))
        (show::audio(words, words, words))
        (show::copyable(language, "snippet", words, words))
        (show::steps(language, &[words, words], 1))
        (show::disclosure(words, false, words))
        (show::split(words, show::grid(show::stack(words))))
    }
}

fn charts(language: Language, words: &str, values: &[u64]) -> Markup {
    let rows: Vec<(String, u64)> = values.iter().map(|n| (words.to_owned(), *n)).collect();
    let labels: Vec<String> = rows.iter().map(|(label, _)| label.clone()).collect();
    let series = Series { name: words.to_owned(), values: values.to_vec() };
    html! {
        (chart::bars(language, "bars", words, words, &rows))
        (chart::stacked(language, "stacked", words, &labels, &[series.clone(), series]))
        (chart::line(language, "line", words, words, &rows))
        (Tile::new(language, "tile", words, words).note(words).to(words).trend(rows))
    }
}

fn problems(language: Language, words: &str) -> Vec<Markup> {
    [
        Problem::NotFound,
        Problem::Forbidden { permission: words, who_can_grant: &[words, words] },
        Problem::SignedOut,
        Problem::StaleForm,
        Problem::Throttled { seconds: 61 },
        Problem::TooLarge,
        Problem::Failed { request_id: words },
    ]
    .into_iter()
    .flat_map(|it| [problem(language, None, it), problem(language, Some(&frame(language, words)), it)])
    .collect()
}

/// One of everything.
fn everything(language: Language, words: &str) -> Vec<String> {
    let mut all = problems(language, words);
    all.push(page(&frame(language, words), words, shown(language, words)));
    all.push(page(&frame(language, words), words, charts(language, words, &[3, 0, 9])));
    all.push(door(language, words, fields(language, words)));
    all.into_iter().map(|markup| markup.0.replace("\r\n", "\n")).collect()
}

fn short(markup: &Markup) -> String {
    // The hashes change with every change of an asset, which is not what the snapshots are about.
    let mut html = markup.0.replace("><", ">\n<");
    for name in assets::names() {
        html = html.replace(&assets::path(name), name);
    }
    html
}

#[test]
fn the_frame_in_english() {
    insta::assert_snapshot!(short(&page(&frame(Language::English, "Acme"), "Requests", Heading::new("Requests"))));
}

#[test]
fn the_door_in_spanish() {
    insta::assert_snapshot!(short(&door(Language::Spanish, "Iniciar sesión", fields(Language::Spanish, "Nombre"))));
}

#[test]
fn what_pages_show() {
    insta::assert_snapshot!(short(&shown(Language::English, "words")));
}

#[test]
fn charts_with_a_few_values() {
    insta::assert_snapshot!(short(&charts(Language::Spanish, "enero", &[3, 0, 9])));
}

#[test]
fn a_page_for_someone_whose_role_does_not_allow_it() {
    let problem = Problem::Forbidden { permission: "change service codes", who_can_grant: &["owner", "manager"] };
    insta::assert_snapshot!(short(&crate::problem(
        Language::English,
        Some(&frame(Language::English, "Acme")),
        problem
    )));
}

#[test]
fn charts_take_nothing_one_thing_and_more_than_fits() {
    for values in [&[][..], &[0], &[7], &[u64::MAX, u64::MAX, 1], &[1; 400]] {
        let html = charts(Language::English, "words", values).0;
        assert!(!html.contains("NaN") && !html.contains("=\"-"), "{values:?}");
        assert_eq!(html.contains("chart-empty"), values.is_empty());
    }
}

#[test]
fn a_section_that_someone_may_not_see_is_not_in_their_menu() {
    let mut frame = frame(Language::English, "Acme");
    frame.sections = vec![Section::Overview, Section::Requests];
    let html = page(&frame, "Requests", "").0;
    assert!(html.contains(Section::Requests.path()));
    assert!(!html.contains(Section::Team.path()));
}

#[test]
fn an_errors_link_leads_to_the_field_that_has_it() {
    let html = fields(Language::English, "words").0;
    let form = Form::post(Language::English, "/", "").errors(&[FieldError::new("greetings.es", "Say hello.")]);
    assert!(form.render().0.contains("href=\"#f-greetings.es\""));
    assert!(html.contains("id=\"f-name\"") && html.contains("aria-invalid=\"true\""));
    assert!(Field::text("name", "Name").within("first").render().0.contains("id=\"f-first-name\""));
}

#[test]
fn a_password_is_never_put_back() {
    let field = Field::password(Language::English, "password", "Password", "current-password").value("hunter2");
    assert!(!field.render().0.contains("hunter2"));
}

#[test]
fn a_first_line_break_in_a_text_is_kept() {
    assert!(Field::area("a", "A", 2).value("\nhello").render().0.contains(">\n\nhello</textarea>"));
}

#[test]
fn pages_are_small() {
    for language in Language::ALL {
        for html in everything(language, "words") {
            assert!(html.len() < 40_000, "{}", html.len());
        }
    }
}

#[test]
fn every_text_is_there_in_both_languages() {
    let found = [
        differences(&crate::frame::Texts::EN, &crate::frame::Texts::ES),
        differences(&crate::consumer::Texts::EN, &crate::consumer::Texts::ES),
        differences(&crate::problem::Texts::EN, &crate::problem::Texts::ES),
        differences(&crate::chart::Texts::EN, &crate::chart::Texts::ES),
    ]
    .concat();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_page_of_a_consumer_says_that_the_browsers_signal_is_honoured_and_only_where_there_is_one() {
    for language in Language::ALL {
        let site = |gpc| crate::consumer::Site {
            language,
            languages: vec![],
            business: "Bear & Sons".into(),
            colour: None,
            embedded: false,
            gpc,
            takes: true,
        };
        let page = |gpc| crate::consumer::page(&site(gpc), "Title", html! { p { "main" } }).into_string();
        assert!(!page(false).contains("gpc-honored"));
        let told = page(true);
        assert!(
            told.contains(crate::consumer::opt_out_honored(language)) && told.contains("id=\"gpc-honored\""),
            "{told}"
        );
        assert!(told.find("</h1>") < told.find("gpc-honored"), "{told}");
    }
}

/// What a policy without `unsafe-inline` would stop.
fn inline_code(html: &str) -> Option<&str> {
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let inline = tag.contains(" style=")
            || tag.contains("javascript:")
            || tag.starts_with("style")
            || (tag.starts_with("script") && !tag.contains(" src="))
            || tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='));
        if inline {
            return Some(tag);
        }
    }
    None
}

#[test]
fn nothing_is_styled_or_scripted_inline() {
    for language in Language::ALL {
        for html in everything(language, "words") {
            assert_eq!(inline_code(&html), None);
        }
    }
}

#[test]
fn hostile_words_change_no_markup() {
    // Once with harmless words, once with hostile ones: the same tags must come out.
    let tags = |html: &str| html.matches('<').count();
    for hostile in
        ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</textarea></title><svg/onload=x>", "'\"&<"]
    {
        for language in Language::ALL {
            for (calm, wild) in everything(language, "words").iter().zip(everything(language, hostile)) {
                assert_eq!(tags(calm), tags(&wild));
                assert!(!wild.contains("<script>") && !wild.contains("<img"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_words_change_no_markup(hostile in "[<>\"'&/=a-z {}\n-]{0,24}|.{0,16}") {
        let tags = |html: &str| (html.matches('<').count(), html.matches('>').count());
        for (calm, wild) in everything(Language::English, "words").iter().zip(everything(Language::English, &hostile)) {
            prop_assert_eq!(tags(calm), tags(&wild));
        }
    }

    #[test]
    fn charts_take_any_values(values in prop::collection::vec(any::<u64>(), 0..50)) {
        let html = charts(Language::English, "words", &values).0;
        prop_assert!(!html.contains("=\"-"));
    }
}

#[test]
fn what_somebody_wrote_is_text_and_nothing_else() {
    let shown = crate::show::paragraphs("<b>one</b>\n\n<script>two</script>").into_string();
    assert_eq!(shown, "<p>&lt;b&gt;one&lt;/b&gt;</p><p>&lt;script&gt;two&lt;/script&gt;</p>");
}
