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
use tests::{Hotline, Person, answers, eventually, in_dozens, planted};

use crate::rooms::{random, random_code};
use crate::setup::upload;

async fn shop<'a>(hotline: &'a Hotline, slug: &str, code: &str) -> (Person<'a>, String) {
    let slug = format!("{slug}-{}", random(6));
    let (owner, _, tenant) = Person::owner_of(hotline, &slug, &[Code::new(code, "Status Shop")]).await;
    (owner, tenant)
}

/// Which telephone a test calls from: another one each time, for what is sent to one is bounded over hours.
fn line(test: u8) -> u8 {
    test + 15 * fastrand::u8(0..6)
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
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.rfind(|word| word.len() == 6).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
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
async fn open<'a>(hotline: &'a Hotline, n: u8, code: &str, reference: &str) -> (Person<'a>, Seen) {
    let mut person = Person::new(hotline);
    look_up(hotline, &mut person, code, reference).await;
    let before = hotline.texts(&planted::caller(planted::STATUS, n)).await.len();
    let page = ask(hotline, &mut person, "phone").await;
    let sent = texted(hotline, &planted::caller(planted::STATUS, n), before + 1).await;
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

/// The same with one letter changed, well inside of it.
fn forged(ticket: &str) -> String {
    let at = ticket.len() - 20;
    let other = if ticket.as_bytes()[at] == b'x' { "y" } else { "x" };
    format!("{}{other}{}", &ticket[..at], &ticket[at + 1..])
}

#[tokio::test]
async fn a_request_made_by_telephone_is_followed_on_the_web_without_a_word_about_the_person() {
    let hotline = Hotline::open();
    let n = line(0);
    let code = random_code();
    let (_, _) = shop(&hotline, "status-look", &code).await;
    let reference = call(&hotline, n, &code, Kind::Delete).await;
    let mut person = Person::new(&hotline);
    let seen =
        look_up(&hotline, &mut person, &format!("{code}#"), &Reference::parse(&reference).unwrap().to_string()).await;
    let text = seen.text();
    assert_eq!((seen.status(), seen.path()), (200, "/status"), "{text}");
    assert!(text.contains("Status Shop") && text.contains("11 CCR 7021") && text.contains("will look at it"), "{text}");
    for private in [planted::caller(planted::STATUS, n).as_str(), "quetzal"] {
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
    let n = line(1);
    let code = random_code();
    let other_code = random_code();
    shop(&hotline, "status-one", &code).await;
    shop(&hotline, "status-other", &other_code).await;
    let reference = call(&hotline, n, &code, Kind::Limit).await;
    let mut pages = vec![];
    for (code, reference) in [
        (other_code.as_str(), reference.as_str()),
        (code.as_str(), "000000000000"),
        ("68999999", reference.as_str()),
        ("abc", reference.as_str()),
        (code.as_str(), "123"),
        ("0", "x' OR 1=1"),
    ] {
        let seen = look_up(&hotline, &mut Person::new(&hotline), code, reference).await;
        assert_eq!(seen.status(), 404, "{code} {reference}: {}", seen.text());
        // But for what they typed themselves, which they can look through once more.
        let form = seen.form(&["csrf", "code", "reference"]);
        assert_eq!(form.value("code"), Some(code));
        let mine = |text: String, name: &str| text.replace(&format!("value=\"{}\"", form.value(name).unwrap()), "");
        pages.push(["csrf", "code", "reference"].into_iter().fold(seen.text(), mine));
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
        refused = in_dozens(flood).await.into_iter().find(|seen| seen.status() == 429);
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
    let n = line(2);
    let service_code = random_code();
    let (_, tenant) = shop(&hotline, "status-code", &service_code).await;
    let reference = call(&hotline, n, &service_code, Kind::KnowCategories).await;
    let number = planted::caller(planted::STATUS, n);
    let mut person = Person::new(&hotline);
    assert_eq!(person.get("/status/case").await.path(), "/status", "nobody has looked anything up");
    look_up(&hotline, &mut person, &service_code, &reference).await;
    let before = hotline.texts(&number).await.len();
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &number, before + 1).await;
    assert!(hotline.texts(&number).await.iter().all(|text| !text.contains(&reference)), "no number of a request");

    // In another browser that looked up the same request it is no code.
    let mut other = Person::new(&hotline);
    look_up(&hotline, &mut other, &service_code, &reference).await;
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
    other.hold("__Host-case", &forged(&cookie));
    assert_eq!(other.get("/status/case").await.path(), "/status/identity");
}

#[tokio::test]
async fn five_wrong_codes_are_all_however_many_come_at_once() {
    let hotline = Hotline::open();
    let n = line(3);
    let service_code = random_code();
    shop(&hotline, "status-tries", &service_code).await;
    let reference = call(&hotline, n, &service_code, Kind::KnowCategories).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, &service_code, &reference).await;
    let number = planted::caller(planted::STATUS, n);
    let before = hotline.texts(&number).await.len();
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &number, before + 1).await;
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
    let n = line(4);
    let service_code = random_code();
    shop(&hotline, "status-once", &service_code).await;
    let reference = call(&hotline, n, &service_code, Kind::Delete).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, &service_code, &reference).await;
    let number = planted::caller(planted::STATUS, n);
    let before = hotline.texts(&number).await.len();
    let page = ask(&hotline, &mut person, "phone").await;
    let code = texted(&hotline, &number, before + 1).await;
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
    let service_code = random_code();
    let (mut owner, tenant) = shop(&hotline, "status-old", &service_code).await;
    let email = format!("quetzal-{}@example.com", random(8));
    let reference = letter(&mut owner, &service_code, "delete", &email).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, &service_code, &reference).await;
    let page = ask(&hotline, &mut person, "email").await;
    let code = mailed(&hotline, &email, 1).await;
    hotline.expire_codes(&tenant).await;
    let late = enter(&hotline, &mut person, &page, &code).await;
    assert!(late.text().contains("There is no code to try any more"), "{}", late.text());
    // Six an hour for a request, whoever asks; the seventh waits.
    for _ in 0..5 {
        assert_eq!(ask(&hotline, &mut person, "email").await.path(), "/status/identity");
    }
    assert_eq!(ask(&hotline, &mut person, "email").await.status(), 429);
    mailed(&hotline, &email, 6).await;
    // Another request of the same address has codes of its own: nobody can use up what is somebody else's.
    let another = letter(&mut owner, &service_code, "delete", &email).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, &service_code, &another).await;
    assert_eq!(ask(&hotline, &mut person, "email").await.status(), 200);
    mailed(&hotline, &email, 7).await;
}

#[tokio::test]
async fn a_way_that_was_never_given_is_answered_like_one_that_was() {
    let hotline = Hotline::open();
    let n = line(6);
    let service_code = random_code();
    let (mut owner, _) = shop(&hotline, "status-none", &service_code).await;
    let email = format!("quetzal-{}@example.com", random(8));
    let before = hotline.texts(&planted::caller(planted::STATUS, n)).await;
    let mut pages = vec![];
    let by_letter = letter(&mut owner, &service_code, "delete", &email).await;
    let by_phone = call(&hotline, n, &service_code, Kind::Delete).await;
    for reference in [&by_letter, &by_phone] {
        let mut person = Person::new(&hotline);
        look_up(&hotline, &mut person, &service_code, reference).await;
        let page = ask(&hotline, &mut person, "email").await;
        let csrf = page.form(&["csrf", "code"]).value("csrf").unwrap().to_owned();
        pages.push(page.text().replace(&csrf, "csrf"));
    }
    assert_eq!(pages[0], pages[1]);
    let code = mailed(&hotline, &email, 1).await;
    assert!(!pages[0].contains("quetzal") && code.len() == 6);
    let texts = hotline.texts(&planted::caller(planted::STATUS, n)).await;
    assert_eq!(texts, before, "what was asked for by e-mail is not sent to a telephone");
}

#[tokio::test]
async fn a_request_is_taken_back_once_after_being_asked_once_more() {
    let hotline = Hotline::open();
    let n = line(7);
    let code = random_code();
    let (mut owner, tenant) = shop(&hotline, "status-withdraw", &code).await;
    let reference = call(&hotline, n, &code, Kind::Delete).await;
    act(&mut owner, &reference, "assign", &[("to", "")]).await;
    let (mut person, case) = open(&hotline, n, &code, &reference).await;
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
    let n = line(8);
    let code = random_code();
    let (mut owner, tenant) = shop(&hotline, "status-messages", &code).await;
    let reference = call(&hotline, n, &code, Kind::KnowSpecific).await;
    act(&mut owner, &reference, "assign", &[("to", "")]).await;
    let page = owner.get(&format!("/dashboard/request/{reference}")).await;
    let form = page.forms().into_iter().find(|form| form.action.contains("/message/")).unwrap();
    let (csrf, id) = (form.value("csrf").unwrap().to_owned(), form.value("id").unwrap().to_owned());
    let fields = [("csrf", csrf.as_str()), ("id", id.as_str()), ("text", "Your copy is here.")];
    owner.post_multipart(&form.action, &fields, ("file", "copy.txt", b"All that we hold.")).await;
    let note = page.form(&["id", "note"]);
    owner.send_form(&note, &[("note", "A secret of the team.")]).await;

    let (mut person, case) = open(&hotline, n, &code, &reference).await;
    let text = case.text();
    assert!(text.contains("Your copy is here.") && text.contains("copy.txt") && text.contains("Status Shop"), "{text}");
    for private in ["A secret of the team", "Olga Owner", "Assigned", "/dashboard/request"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    let file = link(&case, "/status/file/").expect("a link to the file");
    let got = person.get(&file).await;
    assert_eq!((got.status(), got.answer.body.as_slice()), (200, b"All that we hold.".as_slice()));
    assert!(got.answer.header("content-disposition").unwrap().starts_with("attachment"));
    // In a browser without the proof, and with another tenant's, the link is worth nothing.
    assert_ne!(Person::new(&hotline).get(&file).await.path(), file);
    let forged = forged(&file);
    assert_eq!(person.get(&forged).await.status(), 404);

    // An answer with a file, sent twice, is there once; a program is none.
    let form = form_of(&case, "message").unwrap();
    let (csrf, id) = (form.value("csrf").unwrap().to_owned(), form.value("id").unwrap().to_owned());
    let words = planted::words("I moved to <i>Oakland</i>.");
    let fields = [("csrf", csrf.as_str()), ("do", "message"), ("id", id.as_str()), ("text", words.as_str())];
    let program = person.post_multipart("/status/case", &fields, ("file", "a.pdf", b"MZ\x90\x00\xff")).await;
    assert!(program.status() == 422 && program.text().contains("Oakland"), "{}", program.text());
    for _ in 0..2 {
        let file = ("file", "proof<img src=x onerror=alert(2)>.txt", b"Oakland".as_slice());
        let sent = person.post_multipart("/status/case", &fields, file).await;
        let text = sent.text();
        assert!(sent.status() == 200 && text.matches("&lt;i&gt;Oakland&lt;/i&gt;").count() == 1, "{text}");
        assert!(!text.contains("<img src=x"), "a file's name is text: {text}");
    }
    let desk = owner.get(&format!("/dashboard/request/{reference}")).await.text();
    assert!(desk.contains("&lt;i&gt;Oakland&lt;/i&gt;") && desk.contains("proof"), "{desk}");
    assert!(!desk.contains("<img src=x"), "{desk}");
    let pk = format!("{tenant}#{}", &reference[..2]);
    let items = hotline.cloud.items_with(hotline.table("requests"), "pk", &pk).await;
    assert!(items.iter().all(|item| !item.to_string().contains("Oakland")), "{items:#?}");
}

#[tokio::test]
async fn a_declaration_is_signed_once_where_the_law_asks_for_it_and_shown_at_the_desk() {
    let hotline = Hotline::open();
    let n = line(9);
    let code = random_code();
    let (mut owner, tenant) = shop(&hotline, "status-declare", &code).await;
    let reference = call(&hotline, n, &code, Kind::KnowSpecific).await;
    let (mut person, case) = open(&hotline, n, &code, &reference).await;
    assert!(form_of(&case, "declare").is_none(), "nobody has begun to verify");
    let asked = act(&mut owner, &reference, "verify", &[("asked", "A declaration.")]).await;
    assert_eq!(asked.status(), 200, "{}", asked.text());
    let case = person.get("/status/case").await;
    let form = form_of(&case, "declare").unwrap_or_else(|| panic!("{}", case.text()));
    let (name, shown) = ("Quetzal <b>Pérez", "Quetzal &lt;b&gt;Pérez");
    let unsigned = person.send_form(&form, &[("name", name)]).await;
    assert!(unsigned.status() == 422 && unsigned.text().contains(shown), "{}", unsigned.text());
    let signed = person.send_form(&form, &[("name", name), ("agree", "on")]).await;
    assert!(signed.text().contains(&format!("Signed by {shown}")), "{}", signed.text());
    person.send_form(&form, &[("name", "Somebody Else"), ("agree", "on")]).await;
    let desk = owner.get(&format!("/dashboard/request/{reference}")).await.text();
    assert!(desk.contains("under penalty of perjury") && desk.contains(shown), "{desk}");
    assert!(!desk.contains("Somebody Else"), "what was signed stays");
    assert!(!stored(&hotline, &tenant, &reference).await.to_string().contains("Quetzal"));
}

#[tokio::test]
async fn a_photo_id_is_taken_only_where_it_is_allowed_and_deleted_when_verification_ends() {
    let hotline = Hotline::open();
    let n = line(10);
    let m = line(11);
    let code = random_code();
    let (mut owner, tenant) = shop(&hotline, "status-photo", &code).await;
    let categories = call(&hotline, n, &code, Kind::KnowCategories).await;
    let reference = call(&hotline, m, &code, Kind::Delete).await;
    for it in [&categories, &reference] {
        act(&mut owner, it, "verify", &[("asked", "A photo ID.")]).await;
    }
    let (mut person, case) = open(&hotline, m, &code, &reference).await;
    assert!(!case.text().contains("/status/photo-id"), "the tenant takes none");
    assert_eq!(person.get("/status/photo-id").await.status(), 404);
    let settings = owner.get("/dashboard/settings").await;
    let mut form = settings.form(&["version", "name", "time-zone"]);
    form.fields.push(("photo-id".into(), "on".into()));
    owner.send_form(&form, &[]).await;
    let (mut other, case) = open(&hotline, n, &code, &categories).await;
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
    let n = line(12);
    let m = line(13);
    let code = random_code();
    let other_code = random_code();
    shop(&hotline, "status-mine", &code).await;
    shop(&hotline, "status-theirs", &other_code).await;
    let mine = call(&hotline, n, &code, Kind::Delete).await;
    let theirs = call(&hotline, m, &other_code, Kind::Delete).await;
    let (mut person, case) = open(&hotline, n, &code, &mine).await;
    assert!(case.text().contains(&Reference::parse(&mine).unwrap().to_string()));
    // Looking another one up changes nothing about what is shown to be theirs.
    let page = person.get(&format!("/status?code={other_code}")).await;
    let form = page.form(&["code", "reference"]);
    assert_eq!(form.value("code"), Some(other_code.as_str()), "a link from a mail has the code filled in");
    let looked = counted(&hotline, async || person.send_form(&form, &[("reference", &theirs)]).await).await;
    assert!(looked.text().contains(&Reference::parse(&theirs).unwrap().to_string()), "{}", looked.text());
    let case = person.get("/status/case").await;
    assert!(case.text().contains(&Reference::parse(&mine).unwrap().to_string()), "{}", case.text());
    assert!(!case.text().contains(&Reference::parse(&theirs).unwrap().to_string()));
    // Nor does what is sent along with a form.
    let form = form_of(&case, "withdraw").unwrap();
    let typed = [("sure", "yes"), ("reference", theirs.as_str()), ("code", other_code.as_str())];
    person.send_form(&form, &typed).await;
    let mut other = Person::new(&hotline);
    let seen = look_up(&hotline, &mut other, &other_code, &theirs).await;
    assert!(!seen.text().contains("took this request back"), "{}", seen.text());
}

#[tokio::test]
async fn looking_takes_two_operations_of_dynamodb() {
    let hotline = Hotline::open();
    let n = line(14);
    let code = random_code();
    let (_, tenant) = shop(&hotline, "status-counts", &code).await;
    let reference = call(&hotline, n, &code, Kind::Delete).await;
    let mut person = Person::new(&hotline);
    look_up(&hotline, &mut person, &code, &reference).await;
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
