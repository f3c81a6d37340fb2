//! What whoever asked meets on the web: where their request stands, a code that shows that it is theirs, and what they do
//! with it then. Tried by people who guess, who hurry, who come twice, and who bring what belongs to another tenant.

use std::time::Duration;

use domain::language::Language;
use domain::reference::Reference;
use domain::request::Kind;
use futures::future::join_all;
use phone::Script;
use serde_json::Value;
use tests::hotline::Code;
use tests::person::{Form, Seen};
use tests::{Hotline, Person, answers, eventually, planted};

use crate::rooms::random;
use crate::setup::upload;

async fn shop<'a>(hotline: &'a Hotline, slug: &str, code: &str) -> (Person<'a>, String) {
    let slug = format!("{slug}-{}", random(6));
    let (owner, _, tenant) = Person::owner_of(hotline, &slug, &[Code::new(code, "Status Shop")]).await;
    (owner, tenant)
}

/// A request by telephone: its number is the only contact.
async fn call(hotline: &Hotline, n: u8, code: &str, kind: Kind) -> String {
    let mut caller = Script::new(answers::request(Language::English, Some(code), kind));
    let call = hotline.call(&planted::caller(planted::STATUS, n), &mut caller).await;
    call.reference_number().unwrap()
}

/// A request by letter, of somebody with an e-mail address.
async fn letter(owner: &mut Person<'_>, code: &str, kind: &str, email: &str) -> String {
    let page = owner.get("/dashboard/new-request").await;
    let form = page.form(&["id", "received"]);
    let typed = [("kind", kind), ("channel", "mail"), ("code", code), ("email", email), ("language", "en")];
    let entered = owner.send_form(&form, &typed).await;
    assert!(entered.path().starts_with("/dashboard/request/"), "{}", entered.text());
    entered.path().rsplit('/').next().unwrap().to_owned()
}

/// Does something that is counted for each client, of which all tests are one: again where another test has used it up.
async fn counted(hotline: &Hotline, mut step: impl AsyncFnMut() -> Seen) -> Seen {
    for _ in 0..4 {
        hotline.clear_client_tries().await;
        let seen = step().await;
        if seen.status() != 429 {
            return seen;
        }
    }
    step().await
}

/// Looks a request up with its two numbers.
async fn look_up(hotline: &Hotline, person: &mut Person<'_>, code: &str, reference: &str) -> Seen {
    let page = person.get("/status").await;
    let page = match page.forms().into_iter().find(|form| form.value("reference").is_some()) {
        Some(_) => page,
        None => person.submit(&page, &["do"], &[("do", "forget")]).await,
    };
    let form = page.form(&["code", "reference"]);
    counted(hotline, async || person.send_form(&form, &[("code", code), ("reference", reference)]).await).await
}

/// Asks for a code.
async fn ask(hotline: &Hotline, person: &mut Person<'_>, via: &str) -> Seen {
    let page = person.get("/status/identity").await;
    let form =
        page.forms().into_iter().find(|form| form.value("do") == Some("send")).expect("a form that sends a code");
    counted(hotline, async || person.send_form(&form, &[("via", via)]).await).await
}

fn digits(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.filter(|word| word.len() == 6).next_back().unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

/// The newest code sent to a telephone, once there are so many.
async fn texted(hotline: &Hotline, number: &str, count: usize) -> String {
    let what = format!("text {count} to a telephone");
    let found = eventually(&what, async || {
        let texts = hotline.texts(number).await;
        (texts.len() >= count).then(|| texts[count - 1].clone())
    });
    digits(&found.await)
}

/// The newest code mailed to an address, once there are so many mails with one.
async fn mailed(hotline: &Hotline, email: &str, count: usize) -> String {
    let what = format!("mail {count} with a code");
    let found = eventually(&what, async || {
        let mails: Vec<_> =
            hotline.mails(email).await.into_iter().filter(|(subject, _)| subject == "Your code").collect();
        (mails.len() >= count).then(|| mails[count - 1].1.clone())
    });
    digits(&found.await)
}

/// Enters a code.
async fn enter(hotline: &Hotline, person: &mut Person<'_>, page: &Seen, code: &str) -> Seen {
    let form = page.forms().into_iter().find(|form| form.value("do") == Some("enter")).expect("a form for the code");
    counted(hotline, async || person.send_form(&form, &[("code", code)]).await).await
}

/// Opens a request by a code sent to the telephone from which it was made.
async fn open<'a>(hotline: &'a Hotline, n: u8, code: &str, reference: &str, texts: usize) -> (Person<'a>, Seen) {
    let mut person = Person::new(hotline);
    look_up(hotline, &mut person, code, reference).await;
    let page = ask(hotline, &mut person, "phone").await;
    let sent = texted(hotline, &planted::caller(planted::STATUS, n), texts).await;
    let case = enter(hotline, &mut person, &page, &sent).await;
    assert_eq!((case.status(), case.path()), (200, "/status/case"), "{}", case.text());
    (person, case)
}

fn form_of(page: &Seen, what: &str) -> Option<Form> {
    page.forms().into_iter().find(|form| form.value("do") == Some(what))
}

async fn stored(hotline: &Hotline, tenant: &str, reference: &str) -> Value {
    let pk = format!("{tenant}#{}", &reference[..2]);
    let item = hotline.cloud.item(hotline.table("requests"), &[("pk", &pk), ("sk", reference)]).await;
    item.unwrap_or_else(|| panic!("{reference} is not stored"))
}

/// Does something with a request at the desk.
async fn act(owner: &mut Person<'_>, reference: &str, action: &str, typed: &[(&str, &str)]) -> Seen {
    let page = owner.get(&format!("/dashboard/request/{reference}")).await;
    let form = page.forms().into_iter().find(|form| form.value("action") == Some(action)).expect("the action's form");
    owner.send_form(&form, typed).await
}

/// Where the first link that begins like this leads.
fn link(page: &Seen, begins: &str) -> Option<String> {
    let text = page.text();
    let start = text.find(begins)?;
    text[start..].split('"').next().map(str::to_owned)
}

#[tokio::test]
async fn a_request_made_by_telephone_is_followed_on_the_web_without_a_word_about_the_person() {
    let hotline = Hotline::open();
    let (_, _) = shop(&hotline, "status-look", "6301").await;
    let reference = call(&hotline, 0, "6301", Kind::Delete).await;
    let mut person = Person::new(&hotline);
    let seen = look_up(&hotline, &mut person, "6301#", &Reference::parse(&reference).unwrap().to_string()).await;
    let text = seen.text();
    assert_eq!((seen.status(), seen.path()), (200, "/status"), "{text}");
    assert!(text.contains("Status Shop") && text.contains("11 CCR 7021") && text.contains("will look at it"), "{text}");
    for private in [planted::caller(planted::STATUS, 0).as_str(), "quetzal", "0100"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    assert!(!seen.target.contains(&reference), "no number is in an address");
    // Reloading asks nothing again; in the other language it says the same.
    let spanish = person.get("/status?lang=es").await;
    assert!(spanish.text().contains("Qué sigue ahora"), "{}", spanish.text());
    let form = spanish.form(&["do"]);
    let gone = person.send_form(&form, &[]).await;
    assert!(gone.forms().iter().any(|form| form.value("reference").is_some()), "{}", gone.text());
}

#[tokio::test]
async fn numbers_that_are_nobodys_anothers_or_none_answer_alike() {
    let hotline = Hotline::open();
    shop(&hotline, "status-one", "6302").await;
    shop(&hotline, "status-other", "6303").await;
    let reference = call(&hotline, 1, "6302", Kind::Limit).await;
    let mut pages = vec![];
    for (code, reference) in [
        ("6303", reference.as_str()),
        ("6302", "000000000000"),
        ("68999999", reference.as_str()),
        ("abc", reference.as_str()),
        ("6302", "123"),
        ("0", "x' OR 1=1"),
    ] {
        let seen = look_up(&hotline, &mut Person::new(&hotline), code, reference).await;
        assert_eq!(seen.status(), 404, "{code} {reference}: {}", seen.text());
        let csrf = seen.form(&["csrf", "reference"]).value("csrf").unwrap().to_owned();
        pages.push(seen.text().replace(&csrf, "csrf"));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:#?}");
    assert!(!pages[0].contains("Status Shop"));
    let empty = look_up(&hotline, &mut Person::new(&hotline), "", "").await;
    assert!(empty.status() == 422 && empty.text().contains("Enter the service code."), "{}", empty.text());
}

#[tokio::test]
async fn whoever_guesses_is_kept_waiting() {
    let hotline = Hotline::open();
    let mut refused = None;
    // All tests share an address, and each clears its counter: one of these floods meets no other.
    for _ in 0..20 {
        let flood = (0..45).map(|_| async {
            let mut person = Person::new(&hotline);
            let form = person.get("/status").await.form(&["code", "reference"]);
            person.send_form(&form, &[("code", "6304"), ("reference", "000000000000")]).await
        });
        refused = join_all(flood).await.into_iter().find(|seen| seen.status() == 429);
        if refused.is_some() {
            break;
        }
    }
    let seen = refused.expect("whoever guesses is kept waiting at last");
    assert!(seen.answer.header("retry-after").is_some());
    assert!(!seen.text().contains("/dashboard/sign-in"), "a consumer is not sent to the dashboard: {}", seen.text());
    hotline.clear_client_tries().await;
}

#[tokio::test]
async fn a_code_opens_the_request_once_and_only_where_it_was_asked_for() {
    let hotline = Hotline::open();
    let (_, tenant) = shop(&hotline, "status-code", "6305").await;
    let reference = call(&hotline, 2, "6305", Kind::KnowCategories).await;
    let number = planted::caller(planted::STATUS, 2);
    let mut person = Person::new(&hotline);
    assert_eq!(person.get("/status/case").await.path(), "/status", "nobody has looked anything up");
    look_up(&hotline, &mut person, "6305", &reference).await;
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &number, 1).await;
    assert!(hotline.texts(&number).await.iter().all(|text| !text.contains(&reference)));

    // In another browser that looked up the same request it is no code.
    let mut other = Person::new(&hotline);
    look_up(&hotline, &mut other, "6305", &reference).await;
    let waiting = other.get("/status/identity?sent=phone").await;
    let tried = enter(&hotline, &mut other, &waiting, &code).await;
    assert!(tried.status() == 422 && tried.path() == "/status/identity", "{}", tried.text());

    let case = enter(&hotline, &mut person, &page, &code).await;
    assert_eq!((case.status(), case.path()), (200, "/status/case"), "{}", case.text());
    let cookie = person.cookie("__Host-case").unwrap().to_owned();
    assert!(!cookie.contains(&reference) && !cookie.contains(&tenant));
    let again = enter(&hotline, &mut person, &page, &code).await;
    assert!(again.status() == 422 && again.text().contains("There is no code to try any more"), "{}", again.text());
    let item = stored(&hotline, &tenant, &reference).await;
    assert!(item["shown_phone_at"].is_string(), "the desk is told: {item:#}");

    // Signed off, and with a ticket that was changed: out.
    let left = person.send_form(&form_of(&case, "leave").unwrap(), &[]).await;
    assert!(left.path() == "/status" && person.cookie("__Host-case").is_none());
    other.hold("__Host-case", &format!("{}A", &cookie[..cookie.len() - 1]));
    assert_eq!(other.get("/status/case").await.path(), "/status/identity");
}

#[tokio::test]
async fn five_wrong_codes_are_all_however_many_come_at_once() {
    let hotline = Hotline::open();
    shop(&hotline, "status-tries", "6306").await;
    let reference = call(&hotline, 3, "6306", Kind::KnowCategories).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, "6306", &reference).await;
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &planted::caller(planted::STATUS, 3), 1).await;
    let form = form_of(&page, "enter").unwrap();
    let look = person.cookie("__Host-status").unwrap().to_owned();
    let visitor = person.cookie("__Host-visitor").unwrap().to_owned();
    let guess = async |n: u32| {
        let guess = format!("{:06}", (code.parse::<u32>().unwrap() + n) % 1_000_000);
        let mut hurried = Person::new(&hotline);
        hurried.hold("__Host-status", &look);
        hurried.hold("__Host-visitor", &visitor);
        hurried.send_form(&form, &[("code", &guess)]).await.text()
    };
    let mut looked_at = 0;
    // Twice, because another test may have used up what one client may try.
    for first in [1, 100] {
        hotline.clear_client_tries().await;
        let answers = join_all((0..12).map(|n| guess(first + n))).await;
        looked_at += answers.iter().filter(|text| text.contains("This is not the code")).count();
    }
    assert!(looked_at <= 4, "the fifth ends it: {looked_at}");
    let late = enter(&hotline, &mut person, &page, &code).await;
    assert!(late.text().contains("There is no code to try any more"), "not even the right one: {}", late.text());
}

#[tokio::test]
async fn of_many_who_enter_the_right_code_at_once_one_gets_in() {
    let hotline = Hotline::open();
    shop(&hotline, "status-once", "6307").await;
    let reference = call(&hotline, 4, "6307", Kind::Delete).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, "6307", &reference).await;
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &planted::caller(planted::STATUS, 4), 1).await;
    let form = form_of(&page, "enter").unwrap();
    let look = person.cookie("__Host-status").unwrap().to_owned();
    let visitor = person.cookie("__Host-visitor").unwrap().to_owned();
    hotline.clear_client_tries().await;
    let all = (0..5).map(|_| {
        let (form, look, visitor, code, hotline) = (&form, &look, &visitor, &code, &hotline);
        async move {
            let mut hurried = Person::new(hotline);
            hurried.hold("__Host-status", look);
            hurried.hold("__Host-visitor", visitor);
            hurried.send_form(form, &[("code", code)]).await.path() == "/status/case"
        }
    });
    let inside = join_all(all).await.into_iter().filter(|inside| *inside).count();
    assert_eq!(inside, 1);
}

#[tokio::test]
async fn an_old_code_is_none_and_too_many_are_not_sent() {
    let hotline = Hotline::open();
    let (_, tenant) = shop(&hotline, "status-old", "6308").await;
    let reference = call(&hotline, 5, "6308", Kind::Delete).await;
    let number = planted::caller(planted::STATUS, 5);
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, "6308", &reference).await;
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &number, 1).await;
    hotline.expire_codes(&tenant).await;
    let late = enter(&hotline, &mut person, &page, &code).await;
    assert!(late.text().contains("There is no code to try any more"), "{}", late.text());
    // Six an hour for a request, whoever asks; the seventh waits.
    for _ in 0..5 {
        assert_eq!(ask(&hotline, &mut person, "phone").await.path(), "/status/identity");
    }
    assert_eq!(ask(&hotline, &mut person, "phone").await.status(), 429);
    texted(&hotline, &number, 6).await;
    assert_eq!(hotline.texts(&number).await.len(), 6);
}

#[tokio::test]
async fn a_way_that_was_never_given_is_answered_like_one_that_was() {
    let hotline = Hotline::open();
    let (mut owner, _) = shop(&hotline, "status-none", "6309").await;
    let email = format!("quetzal-{}@example.com", random(8));
    let mut pages = vec![];
    let by_letter = letter(&mut owner, "6309", "delete", &email).await;
    let by_phone = call(&hotline, 6, "6309", Kind::Delete).await;
    for reference in [&by_letter, &by_phone] {
        let mut person = Person::new(&hotline);
        look_up(&hotline, &mut person, "6309", reference).await;
        let page = ask(&hotline, &mut person, "email").await;
        let csrf = page.form(&["csrf", "code"]).value("csrf").unwrap().to_owned();
        pages.push(page.text().replace(&csrf, "csrf"));
    }
    assert_eq!(pages[0], pages[1]);
    let code = mailed(&hotline, &email, 1).await;
    assert!(!pages[0].contains("quetzal") && code.len() == 6);
    let texts = hotline.texts(&planted::caller(planted::STATUS, 6)).await;
    assert_eq!(texts, Vec::<String>::new(), "what was asked for by e-mail is not sent to a telephone");
}

#[tokio::test]
async fn a_request_is_taken_back_once_after_being_asked_once_more() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = shop(&hotline, "status-withdraw", "6310").await;
    let reference = call(&hotline, 7, "6310", Kind::Delete).await;
    act(&mut owner, &reference, "assign", &[("to", "")]).await;
    let (mut person, case) = open(&hotline, 7, "6310", &reference, 1).await;
    let sure = person.send_form(&form_of(&case, "withdraw").unwrap(), &[]).await;
    assert!(sure.text().contains("Really take the request back?"), "{}", sure.text());
    assert_eq!(stored(&hotline, &tenant, &reference).await["state"], "received", "nothing has happened yet");
    let form = form_of(&sure, "withdraw").unwrap();
    let words = planted::words("<b>never mind</b>");
    // Twice at the same moment.
    let (mut again, cookies) = (Person::new(&hotline), ["__Host-case", "__Host-visitor"]);
    for name in cookies {
        let value = person.cookie(name).unwrap().to_owned();
        again.hold(name, &value);
    }
    let typed = [("why", words.as_str())];
    let (one, two) = futures::join!(person.send_form(&form, &typed), again.send_form(&form, &typed));
    for seen in [one, two] {
        assert_eq!((seen.status(), seen.path()), (200, "/status/case"), "{}", seen.text());
        assert!(seen.text().contains("You took this request back") && form_of(&seen, "withdraw").is_none());
    }
    let item = stored(&hotline, &tenant, &reference).await;
    assert_eq!((&item["state"], &item["outcome"]), (&"withdrawn".into(), &"withdrawn".into()), "{item:#}");
    let withdrawn = item["events"].as_array().unwrap().iter().filter(|it| it["action"] == "withdraw").count();
    assert_eq!(withdrawn, 1, "{item:#}");
    assert!(!item.to_string().contains("never mind"), "their words are sealed: {item:#}");
    let desk = owner.get(&format!("/dashboard/request/{reference}")).await.text();
    assert!(desk.contains("&lt;b&gt;never mind&lt;/b&gt;") && !desk.contains("<b>never mind"), "{desk}");
}

#[tokio::test]
async fn messages_go_both_ways_with_files_and_a_link_to_a_file_ends() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = shop(&hotline, "status-messages", "6311").await;
    let reference = call(&hotline, 8, "6311", Kind::KnowSpecific).await;
    act(&mut owner, &reference, "assign", &[("to", "")]).await;
    let page = owner.get(&format!("/dashboard/request/{reference}")).await;
    let form = page.forms().into_iter().find(|form| form.action.contains("/message/")).unwrap();
    let (csrf, id) = (form.value("csrf").unwrap().to_owned(), form.value("id").unwrap().to_owned());
    let fields = [("csrf", csrf.as_str()), ("id", id.as_str()), ("text", "Your copy is here.")];
    owner.post_multipart(&form.action, &fields, ("file", "copy.txt", b"All that we hold.")).await;
    let note = page.form(&["id", "note"]);
    owner.send_form(&note, &[("note", "A secret of the team.")]).await;

    let (mut person, case) = open(&hotline, 8, "6311", &reference, 1).await;
    let text = case.text();
    assert!(text.contains("Your copy is here.") && text.contains("copy.txt") && text.contains("Status Shop"), "{text}");
    for private in ["A secret of the team", "Olga Owner", "Assigned", "/dashboard"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    let file = link(&case, "/status/file/").expect("a link to the file");
    let got = person.get(&file).await;
    assert_eq!((got.status(), got.answer.body.as_slice()), (200, b"All that we hold.".as_slice()));
    assert!(got.answer.header("content-disposition").unwrap().starts_with("attachment"));
    // In a browser without the proof, and with another tenant's, the link is worth nothing.
    assert_ne!(Person::new(&hotline).get(&file).await.path(), file);
    let forged = format!("{}A", &file[..file.len() - 1]);
    assert_eq!(person.get(&forged).await.status(), 404);

    // An answer with a file, sent twice, is there once; a program is none.
    let form = form_of(&case, "message").unwrap();
    let (csrf, id) = (form.value("csrf").unwrap().to_owned(), form.value("id").unwrap().to_owned());
    let words = planted::words("I moved to <i>Oakland</i>.");
    let fields = [("csrf", csrf.as_str()), ("do", "message"), ("id", id.as_str()), ("text", words.as_str())];
    let program = person.post_multipart("/status/case", &fields, ("file", "a.pdf", b"MZ\x90\x00\xff")).await;
    assert!(program.status() == 422 && program.text().contains("Oakland"), "{}", program.text());
    for _ in 0..2 {
        let sent = person.post_multipart("/status/case", &fields, ("file", "proof.txt", b"Oakland")).await;
        let text = sent.text();
        assert!(sent.status() == 200 && text.matches("&lt;i&gt;Oakland&lt;/i&gt;").count() == 1, "{text}");
    }
    let desk = owner.get(&format!("/dashboard/request/{reference}")).await.text();
    assert!(desk.contains("&lt;i&gt;Oakland&lt;/i&gt;") && desk.contains("proof.txt"), "{desk}");
    let pk = format!("{tenant}#{}", &reference[..2]);
    let items = hotline.cloud.items_with(hotline.table("requests"), "pk", &pk).await;
    assert!(items.iter().all(|item| !item.to_string().contains("Oakland")), "{items:#?}");
}

#[tokio::test]
async fn a_declaration_is_signed_once_where_the_law_asks_for_it_and_shown_at_the_desk() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = shop(&hotline, "status-declare", "6312").await;
    let reference = call(&hotline, 9, "6312", Kind::KnowSpecific).await;
    let (mut person, case) = open(&hotline, 9, "6312", &reference, 1).await;
    assert!(form_of(&case, "declare").is_none(), "nobody has begun to verify");
    let asked = act(&mut owner, &reference, "verify", &[("asked", "A declaration.")]).await;
    assert_eq!(asked.status(), 200, "{}", asked.text());
    let case = person.get("/status/case").await;
    let form = form_of(&case, "declare").unwrap_or_else(|| panic!("{}", case.text()));
    let unsigned = person.send_form(&form, &[("name", "Quetzal Pérez")]).await;
    assert!(unsigned.status() == 422 && unsigned.text().contains("Quetzal Pérez"), "{}", unsigned.text());
    let signed = person.send_form(&form, &[("name", "Quetzal Pérez"), ("agree", "on")]).await;
    assert!(signed.text().contains("Signed by Quetzal Pérez"), "{}", signed.text());
    person.send_form(&form, &[("name", "Somebody Else"), ("agree", "on")]).await;
    let desk = owner.get(&format!("/dashboard/request/{reference}")).await.text();
    assert!(desk.contains("under penalty of perjury") && desk.contains("Quetzal Pérez"), "{desk}");
    assert!(!desk.contains("Somebody Else"), "what was signed stays");
    assert!(!stored(&hotline, &tenant, &reference).await.to_string().contains("Quetzal"));
}

#[tokio::test]
async fn a_photo_id_is_taken_only_where_it_is_allowed_and_deleted_when_verification_ends() {
    let hotline = Hotline::open();
    let (mut owner, tenant) = shop(&hotline, "status-photo", "6313").await;
    let categories = call(&hotline, 10, "6313", Kind::KnowCategories).await;
    let reference = call(&hotline, 11, "6313", Kind::Delete).await;
    for it in [&categories, &reference] {
        act(&mut owner, it, "verify", &[("asked", "A photo ID.")]).await;
    }
    let (mut person, case) = open(&hotline, 11, "6313", &reference, 1).await;
    assert!(!case.text().contains("/status/photo-id"), "the tenant takes none");
    assert_eq!(person.get("/status/photo-id").await.status(), 404);
    let settings = owner.get("/dashboard/settings").await;
    let mut form = settings.form(&["version", "name", "time-zone"]);
    form.fields.push(("photo-id".into(), "on".into()));
    owner.send_form(&form, &[]).await;
    let (mut other, case) = open(&hotline, 10, "6313", &categories, 1).await;
    assert!(!case.text().contains("/status/photo-id"), "categories need none");
    assert_eq!(other.get("/status/photo-id").await.status(), 404);

    let page = person.get("/status/photo-id").await;
    let back = upload(&page, b"\xff\xd8\xff\xe0 quetzal", None).await.unwrap();
    let shown = person.get(&back).await;
    assert_eq!((shown.status(), shown.path()), (200, "/status/case"), "{}", shown.text());
    assert!(shown.text().contains("Photos given: 1"), "{}", shown.text());
    person.get(&back).await;
    let item = stored(&hotline, &tenant, &reference).await;
    let photos = item["photos"].as_array().unwrap();
    assert_eq!(photos.len(), 1, "coming back twice notes it once: {item:#}");
    let id = photos[0].as_str().unwrap().split(' ').next().unwrap();
    let key = format!("identity/{id}");
    assert!(hotline.cloud.object(hotline.bucket("recordings"), &key).await.is_some());

    let desk = owner.get(&format!("/dashboard/request/{reference}")).await;
    let photo = link(&desk, "/dashboard/attachment/").expect("the photo");
    let got = owner.get(&photo).await;
    assert_eq!((got.status(), got.answer.header("content-type")), (200, Some("image/jpeg")), "{}", got.text());
    // What is no picture is given to nobody.
    let page = person.get("/status/photo-id").await;
    let back = upload(&page, b"<script>alert(1)</script>", None).await.unwrap();
    person.get(&back).await;
    let desk = owner.get(&format!("/dashboard/request/{reference}")).await;
    let last = desk.text().rmatch_indices("/dashboard/attachment/").next().map(|(at, _)| at).unwrap();
    let script = desk.text()[last..].split('"').next().unwrap().to_owned();
    assert_eq!(owner.get(&script).await.status(), 422);

    act(&mut owner, &reference, "review", &[("identity", "The picture matched.")]).await;
    assert!(stored(&hotline, &tenant, &reference).await.get("photos").is_none());
    assert!(hotline.cloud.object(hotline.bucket("recordings"), &key).await.is_none());
    assert_eq!(owner.get(&photo).await.status(), 404);
    assert_eq!(person.get("/status/photo-id").await.status(), 404);
}

#[tokio::test]
async fn a_proof_of_one_request_opens_no_other() {
    let hotline = Hotline::open();
    shop(&hotline, "status-mine", "6314").await;
    shop(&hotline, "status-theirs", "6315").await;
    let mine = call(&hotline, 12, "6314", Kind::Delete).await;
    let theirs = call(&hotline, 13, "6315", Kind::Delete).await;
    let (mut person, case) = open(&hotline, 12, "6314", &mine, 1).await;
    assert!(case.text().contains(&Reference::parse(&mine).unwrap().to_string()));
    // Looking another one up changes nothing about what is shown to be theirs.
    look_up(&hotline, &mut person, "6315", &theirs).await;
    let case = person.get("/status/case").await;
    assert!(case.text().contains(&Reference::parse(&mine).unwrap().to_string()), "{}", case.text());
    assert!(!case.text().contains(&Reference::parse(&theirs).unwrap().to_string()));
    // Nor does what is sent along with a form.
    let form = form_of(&case, "withdraw").unwrap();
    let typed = [("sure", "yes"), ("reference", theirs.as_str()), ("code", "6315")];
    person.send_form(&form, &typed).await;
    let mut other = Person::new(&hotline);
    let seen = look_up(&hotline, &mut other, "6315", &theirs).await;
    assert!(!seen.text().contains("took this request back"), "{}", seen.text());
}

#[tokio::test]
async fn looking_takes_two_operations_of_dynamodb() {
    let hotline = Hotline::open();
    let (_, tenant) = shop(&hotline, "status-counts", "6316").await;
    let reference = call(&hotline, 14, "6316", Kind::Delete).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, "6316", &reference).await;
    for _ in 0..3 {
        assert_eq!(person.get("/status").await.status(), 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let group = &hotline.at.log_groups["forms"];
    let of_status = async || {
        let lines = hotline.cloud.log(group, Some(&tenant)).await;
        let lines: Vec<Value> = lines.iter().filter_map(|(_, line)| serde_json::from_str(line).ok()).collect();
        let mine: Vec<Value> =
            lines.into_iter().filter(|it| it["fn"] == "forms-status" && it["tenant"] == tenant.as_str()).collect();
        (mine.len() >= 3).then_some(mine)
    };
    for line in eventually("the lines of the log", of_status).await {
        let calls = line["aws_calls"].as_str().unwrap();
        let operations: u32 = calls
            .split_whitespace()
            .filter(|call| call.starts_with("dynamodb:"))
            .map(|call| call.rsplit('=').next().unwrap().parse::<u32>().unwrap())
            .sum();
        assert!(operations <= 2 && !calls.contains("kms:"), "{calls}");
    }
}
