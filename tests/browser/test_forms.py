"""What a consumer meets: the form inside a business's own page, the receipt, the choices, and where a request stands."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Frame, Locator, Page, expect

from browser.company import SHOP, Company
from browser.mailbox import Mailbox
from browser.people import PHONE, NewPerson, Person, SignedIn
from browser.telephone import Telephone

NUMBER = re.compile(r"^\d[\d -]{10,}$")
FORM_TITLE = re.compile("Privacy request form|Formulario de solicitud de privacidad")


def shop(company: Company, page: str = "/privacy", *, name: str = SHOP, **more: str) -> str:
    """A page of the shop with that company's form."""
    query = "".join(f"&{key}={quote(value)}" for key, value in more.items())
    return f"{company.cloud.shop(name)}/shop{page}?code={company.code}{query}"


def framed(page: Page) -> Frame:
    """The form's frame, once it is there. The page's own scripts cannot reach it: it lies behind a closed door."""
    for _ in range(100):
        found = [frame for frame in page.frames if urlsplit(frame.url).path.startswith("/forms/")]
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError(f"There is no form in {page.url}.")


def opens_doors(person: Person) -> None:
    """Has a browser leave what the form puts into a page open to be looked at."""
    person.context.add_init_script(
        "const shut = Element.prototype.attachShadow;"
        "Element.prototype.attachShadow = function (how) { return shut.call(this, {...how, mode: 'open'}); };"
    )


def someone() -> str:
    return f"ana.{secrets.token_hex(4)}@example.com"


def ask(where: Any, kind: str, *, continue_: str = "Continue") -> None:
    """The form's first step."""
    where.get_by_role("radio", name=kind).check()
    where.get_by_role("button", name=continue_).click()


def number_of(where: Any) -> str:
    """The number that the receipt shows, as a telephone's keys have it."""
    shown = where.locator("#reference")
    expect(shown).to_have_text(NUMBER)
    return re.sub(r"\D", "", str(shown.text_content()))


def test_a_visitor_of_a_shop_opts_out_inside_its_page_and_the_desk_has_it(
    company: Company, new_person: NewPerson, signed_in: SignedIn, axe: Any
) -> None:
    visitor = new_person()
    page = visitor.visit(shop(company))
    form = framed(page)
    ask(form, "Do not sell or share my personal information")
    form.get_by_label("E-mail address or telephone number").fill(someone())
    form.get_by_role("button", name="Send request").click()
    expect(form.get_by_role("heading", level=1)).to_have_text("Your request has been received")
    number = number_of(form)
    desk = signed_in().visit(f"/dashboard/request/{number}")
    expect(desk.get_by_role("main")).to_contain_text(company.cloud.shop(SHOP))
    axe(visitor)


def test_a_shop_that_turns_against_the_form_can_neither_break_nor_read_it(
    company: Company, new_person: NewPerson
) -> None:
    page = new_person().visit(shop(company, hostile="1"))
    form = framed(page)
    ask(form, "Delete my personal information")
    email = someone()
    form.get_by_label("Full name").fill("Ana Prieto")
    form.get_by_label("E-mail address").fill(email)
    # Its own size and colour, not the shop's.
    field = form.get_by_label("Full name")
    assert field.evaluate("it => parseFloat(getComputedStyle(it).fontSize)") >= 16
    form.get_by_role("button", name="Send request").click()
    number = number_of(form)
    stolen = page.evaluate("window.stolen.join(' ')")
    assert not any(secret in stolen for secret in ("Ana Prieto", email, number)), stolen


def test_the_frame_is_as_high_as_the_form_in_it(company: Company, new_person: NewPerson) -> None:
    person = new_person(viewport=PHONE)
    opens_doors(person)
    page = person.visit(shop(company))
    form = framed(page)
    ask(form, "Correct my personal information")
    expect(form.get_by_label("Full name")).to_be_visible()
    expect(form.get_by_role("button", name="Send request")).to_be_visible()

    def overflow() -> int:
        inner: int = framed(page).evaluate("document.documentElement.scrollHeight")
        outer: int = page.locator("iframe").evaluate("it => it.clientHeight")
        return inner - outer

    page.wait_for_function("() => document.querySelector('[data-optline-form]')")
    for _ in range(50):
        if overflow() <= 1:
            break
        page.wait_for_timeout(100)
    assert overflow() <= 1
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE[0]


def test_on_a_site_that_is_not_listed_the_form_does_not_come_and_its_owner_reads_why(
    company: Company, new_person: NewPerson
) -> None:
    visitor = new_person()
    opens_doors(visitor)
    page = visitor.visit(shop(company, name="unlisted"))
    link = page.get_by_role("link", name="Open the privacy request form in a new window")
    expect(link).to_be_visible()
    expect(page.get_by_text(re.compile("http://unlisted.localhost.* among its sites"))).to_be_visible()
    # Whoever is there still gets to the form, on our own page.
    with visitor.context.expect_page() as opened:
        link.click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Your privacy request")
    # The browser says in its console why the frame stayed empty: that is the refusal.
    visitor.mishaps[:] = [it for it in visitor.mishaps if "frame-ancestors" not in it]


def test_a_page_of_another_site_that_sends_a_form_here_is_refused_and_told_what_to_do(
    company: Company, new_person: NewPerson
) -> None:
    page = new_person().visit(shop(company, "", name="unlisted"))
    target = f"{company.cloud.base_url}/forms/{company.code}/requests"
    page.evaluate(
        """target => {
            const form = document.createElement("form");
            form.method = "post"; form.action = target;
            form.innerHTML = '<input name="kind" value="opt-out"><input name="contact" value="x@example.com">';
            document.body.append(form); form.submit();
        }""",
        target,
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("This site may not send requests here")
    expect(page.get_by_text("Sites that may send requests")).to_be_visible()


def test_a_listed_site_with_a_form_of_its_own_sends_it_by_script(company: Company, new_person: NewPerson) -> None:
    page = new_person().visit(shop(company, ""))
    target = f"{company.cloud.base_url}/forms/{company.code}/requests"
    body = {"id": secrets.token_hex(16), "kind": "opt-out", "contact": someone()}
    send = """async ([target, body]) => {
        const headers = {"content-type": "application/json"};
        const answer = await fetch(target, {method: "POST", headers, body: JSON.stringify(body)});
        return answer.json();
    }"""
    first = page.evaluate(send, [target, body])
    assert first == page.evaluate(send, [target, body]), "The same id is the same request."
    assert NUMBER.match(first["reference"])


@pytest.mark.parametrize("language", ["en", "es"])
def test_without_javascript_a_request_to_know_is_made_step_by_step(
    company: Company, new_person: NewPerson, mailbox: Mailbox, axe: Any, language: str
) -> None:
    words = {
        "en": ("Send me my personal information", "Continue", "Full name", "E-mail address", "Send request", "received"),
        "es": ("Envíenme mis datos personales", "Continuar", "Nombre completo", "Correo electrónico", "Enviar solicitud", "Recibimos"),
    }[language]
    person = new_person(javascript=False, locale="es-US" if language == "es" else "en-US", viewport=PHONE)
    page = person.visit(f"/forms/{company.code}")
    ask(page, words[0], continue_=words[1])
    email = someone()
    # What is wrong stands beside its field, and nothing is lost.
    page.get_by_label(words[2]).fill("Ana María Prieto")
    # An address that a browser lets pass, and that no mail can reach.
    page.get_by_label(words[3]).fill("ana@localhost")
    page.get_by_role("button", name=words[4]).click()
    expect(page.locator("[id$=email-error]")).to_be_visible()
    expect(page.get_by_label(words[2])).to_have_value("Ana María Prieto")
    axe(person)
    page.get_by_label(words[3]).fill(email)
    page.get_by_role("button", name=words[4]).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(words[5])
    number = number_of(page)
    mail = mailbox.wait(email)
    assert number in re.sub(r"\D", "", mail.text) and number not in re.sub(r"\D", "", mail.subject)
    assert "Ana" not in mail.subject and email not in mail.subject


def test_sending_twice_and_going_back_make_one_request(company: Company, new_person: NewPerson) -> None:
    page = new_person(javascript=False).visit(f"/forms/{company.code}?kind=opt-out")
    page.get_by_label("E-mail address or telephone number").fill(someone())
    page.get_by_role("button", name="Send request").dblclick()
    first = number_of(page)
    page.go_back()
    page.get_by_role("button", name="Send request").click()
    assert number_of(page) == first


def test_every_field_has_a_name_and_the_keys_go_through_them_in_the_order_of_the_page(
    company: Company, new_person: NewPerson
) -> None:
    page = new_person().visit(f"/forms/{company.code}?kind=delete&requester=agent")
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const it = document.activeElement;
                if (!it || it === document.body) return null;
                const label = it.labels && it.labels[0];
                return (label ? label.innerText : it.getAttribute("aria-label") || it.innerText || "").trim();
            }"""
        )
        if focused is None:
            break
        names.append(focused)
    assert all(names), names
    order = [next(at for at, name in enumerate(names) if name.startswith(label)) for label in (
        "Skip", "Your own name", "Your own e-mail address", "Company", "Full name", "E-mail address", "Telephone number",
        "State", "Send request",
    )]
    assert order == sorted(order), names


@pytest.mark.parametrize("width", [320])
def test_at_four_hundred_per_cent_nothing_is_lost(company: Company, new_person: NewPerson, width: int) -> None:
    # 1280 pixels at 400 % are 320 by 256 (WCAG 1.4.10).
    page = new_person(viewport=(width, 256)).visit(f"/forms/{company.code}?kind=correct")
    for path in (page.url, f"{company.cloud.base_url}/privacy-choices/{company.code}", f"{company.cloud.base_url}/status"):
        page.goto(path)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width, path


# ── Choices ───────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(page: Page) -> Frame:
    """The frame of the choices, once it is there."""
    for _ in range(100):
        found = [frame for frame in page.frames if urlsplit(frame.url).path.startswith("/privacy-choices/")]
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError(f"There are no choices in {page.url}.")


def test_from_the_shops_front_two_clicks_opt_out(company: Company, new_person: NewPerson, axe: Any) -> None:
    visitor = new_person()
    page = visitor.visit(shop(company, ""))
    page.get_by_role("link", name="Your Privacy Choices").click()
    choices = chosen(page)
    choices.get_by_role("button", name="Do not sell or share").click()
    expect(choices.get_by_role("main")).to_contain_text("This browser is opted out of sale and sharing")
    # The shop's own page knows it, here and at the next visit.
    expect(page.locator("[data-optline-gpc]")).to_have_text("Opt-out request honored")
    visitor.visit(shop(company, ""))
    expect(page.locator("[data-optline-gpc]")).to_have_text("Opt-out request honored")


def test_on_our_own_page_one_click_opts_out_and_a_link_takes_the_choice_to_the_shop(
    company: Company, new_person: NewPerson, axe: Any
) -> None:
    visitor = new_person(javascript=False)
    page = visitor.visit(f"/privacy-choices/{company.code}")
    axe(visitor)
    page.get_by_role("button", name="Do not sell or share").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One step is left")
    axe(visitor)
    assert "#optline-opt-out" in str(page.get_by_role("link", name="Go to").first.get_attribute("href"))


def test_with_an_address_the_choice_is_a_request_of_whoever_has_it(
    company: Company, new_person: NewPerson, signed_in: SignedIn
) -> None:
    email = someone()
    page = new_person(javascript=False).visit(f"/privacy-choices/{company.code}")
    page.locator("#do-not-sell input[name=contact]").fill("nonsense")
    page.get_by_role("button", name="Do not sell or share").click()
    expect(page.locator("[id$=contact-error]")).to_be_visible()
    page.locator("#do-not-sell input[name=contact]").fill(email)
    page.get_by_role("button", name="Do not sell or share").click()
    expect(page.get_by_role("main")).to_contain_text("Received, and on its way")
    desk = signed_in().visit("/dashboard/requests")
    desk.locator("#find input[name=q]").fill(email)
    desk.locator("#find button").first.click()
    expect(desk.get_by_role("main")).to_contain_text("opt out", ignore_case=True)


def test_a_browser_that_sends_the_signal_is_told_that_it_is_honoured(
    company: Company, new_person: NewPerson
) -> None:
    person = new_person()
    person.context.set_extra_http_headers({"Sec-GPC": "1"})
    person.context.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    page = person.visit(f"/privacy-choices/{company.code}")
    expect(page.get_by_role("main")).to_contain_text("Opt-out request honored")
    page = person.visit(f"/forms/{company.code}")
    expect(page.get_by_role("main")).to_contain_text("Opt-out request honored")
    # On the shop's own page its script says so, and tells whatever runs there.
    person.context.add_init_script("window.heard = []; addEventListener('optline:gpc', event => window.heard.push(event.detail))")
    page = person.visit(shop(company, ""))
    expect(page.locator("[data-optline-gpc]")).to_have_text("Opt-out request honored")
    page.wait_for_function("window.heard.length > 0")
    assert page.evaluate("window.heard[0].honored") is True


# ── Where a request stands ────────────────────────────────────────────────────────────────────────────────────────


def filed(person: Person, company: Company, kind: str, email: str) -> str:
    """Somebody makes a request of that kind on our own page; its number."""
    page = person.visit(f"/forms/{company.code}?kind={kind}")
    page.get_by_label("Full name").fill("Ana Prieto")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send request").click()
    return number_of(page)


def shows_that_it_is_theirs(person: Person, mailbox: Mailbox, company: Company, number: str, email: str) -> Page:
    """They look the request up by the link of the receipt, and enter the code that is sent to them."""
    receipt = mailbox.wait(email)
    page = person.visit(receipt.link("/status"))
    expect(page.get_by_label("Service code")).to_have_value(company.code)
    page.get_by_label("Reference number").fill(number)
    page.get_by_role("button", name="See how it stands").click()
    page.get_by_role("link", name="Go on with a code").click()
    page.get_by_role("button", name="Send it by e-mail").click()
    digits = re.search(r"\b(\d{6})\b", mailbox.wait(email, since=receipt.at).text)
    assert digits
    page.get_by_label("Code", exact=True).fill(digits[1])
    page.get_by_role("button", name="Open the request").click()
    expect(page.get_by_role("heading", name="What happened so far")).to_be_visible()
    return page


@pytest.mark.parametrize("javascript", [True, False])
def test_a_request_is_followed_on_the_web_by_a_code_and_by_telephone(
    company: Company, new_person: NewPerson, mailbox: Mailbox, telephone: Telephone, axe: Any, javascript: bool
) -> None:
    person, email = new_person(javascript=javascript, viewport=PHONE), someone()
    number = filed(person, company, "know-specific", email)
    page = shows_that_it_is_theirs(person, mailbox, company, number, email)
    axe(person)
    assert number not in page.url
    call = telephone.call("1", f"{company.code}#", "6", f"{number}#")
    assert call.heard("received"), call.said
    page.get_by_role("button", name="Sign off").click()
    expect(page.get_by_role("main")).to_contain_text("This browser has forgotten the request")


def test_the_team_and_whoever_asked_write_to_each_other_and_a_file_is_handed_over(
    company: Company, new_person: NewPerson, signed_in: SignedIn, mailbox: Mailbox
) -> None:
    person, email = new_person(), someone()
    number = filed(person, company, "know-specific", email)
    page = shows_that_it_is_theirs(person, mailbox, company, number, email)
    page.get_by_label("Your message").fill("Please look under my old address, too.")
    page.get_by_role("button", name="Send the message").click()
    expect(page.get_by_role("main")).to_contain_text("Your message is sent")
    desk = signed_in().visit(f"/dashboard/request/{number}")
    expect(desk.get_by_role("main")).to_contain_text("Please look under my old address, too.")
    before = mailbox.to(email)[-1].at
    message = desk.locator("form[action*='/dashboard/message/']")
    message.locator("textarea").fill("Here is what we have.")
    message.locator("input[type=file]").set_input_files(
        {"name": "all.csv", "mimeType": "text/csv", "buffer": b"what,since\nname,2019\n"}
    )
    message.get_by_role("button").last.click()
    told = mailbox.wait(email, since=before)
    assert "Here is what we have" not in told.text and number not in told.subject
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Here is what we have.")
    with page.expect_download() as got:
        page.get_by_role("link", name="all.csv").first.click()
    assert got.value.path().read_bytes() == b"what,since\nname,2019\n"


def test_whoever_asked_takes_the_request_back_after_being_asked_once_more(
    company: Company, new_person: NewPerson, signed_in: SignedIn, mailbox: Mailbox
) -> None:
    person, email = new_person(javascript=False), someone()
    number = filed(person, company, "delete", email)
    page = shows_that_it_is_theirs(person, mailbox, company, number, email)
    page.locator("summary, a, button").filter(has_text="Take it back …").first.click()
    page.get_by_role("button", name="Yes, take it back").click()
    expect(page.get_by_role("main")).to_contain_text("You have taken the request back")
    desk = signed_in().visit(f"/dashboard/request/{number}")
    expect(desk.get_by_role("main")).to_contain_text("Withdrawn")


def test_a_number_that_is_nobodys_or_anothers_is_answered_alike(
    company: Company, new_company: Any, new_person: NewPerson, mailbox: Mailbox
) -> None:
    other, email = new_company(), someone()
    number = filed(new_person(), other, "delete", email)

    def asks(code: str, reference: str) -> str:
        page = new_person().visit("/status")
        page.get_by_label("Service code").fill(code)
        page.get_by_label("Reference number").fill(reference)
        page.get_by_role("button", name="See how it stands").click()
        return page.get_by_role("main").inner_text()

    unknown = asks(company.code, "0000 0000 0000")
    assert "We find no such request" in unknown
    assert asks(company.code, number) == unknown
    assert asks("99999998", number) == unknown


# ── The human check ───────────────────────────────────────────────────────────────────────────────────────────────


def guards(page: Page, provider: str, site_key: str, secret: str | None = None) -> None:
    """An owner sets up a human check."""
    card = page.locator("#human-check")
    card.get_by_label("Provider").select_option(label=provider)
    card.get_by_label("Site key").fill(site_key)
    card.get_by_role("textbox", name="Secret or API key").fill(secret or f"secret-of-{site_key}")
    card.get_by_role("button", name="Save human check").click()
    expect(page.locator("#human-check")).to_contain_text("Saved")


def checkbox(where: Any) -> Locator:
    box: Locator = where.locator("input[data-captcha]")
    return box


def passes(where: Any) -> None:
    """Ticks the provider's box, and waits until it has left its token in the form."""
    checkbox(where).check()
    expect(where.locator("[data-done='1']")).to_be_attached()


def opts_out(page: Page, *, checked: bool) -> None:
    page.get_by_label("E-mail address or telephone number").fill(someone())
    if checked:
        passes(page)
    page.get_by_role("button", name="Send request").click()


def test_a_person_passes_the_check_a_program_does_not_and_nobody_is_turned_away(
    new_company: Any, new_person: NewPerson, signed_in: SignedIn, axe: Any
) -> None:
    company: Company = new_company()
    settings = signed_in(company.owner).visit("/dashboard/settings")
    guards(settings, "Cloudflare Turnstile", "site-pass")
    person = new_person()
    page = person.visit(f"/forms/{company.code}?kind=opt-out")
    expect(checkbox(page)).to_be_visible()
    axe(person)
    opts_out(page, checked=True)
    number = number_of(page)
    assert human(company, number) == "checked"
    # The token that was used up brings nothing new: the same form is the same request.
    page.go_back()
    # Taken for a program: the form comes back with everything in it, and another way.
    guards(settings, "Cloudflare Turnstile", "site-fail")
    page = new_person().visit(f"/forms/{company.code}?kind=opt-out")
    opts_out(page, checked=True)
    expect(page.get_by_role("main")).to_contain_text("The check did not take you for a person")
    expect(page.get_by_label("E-mail address or telephone number")).not_to_have_value("")
    page.get_by_label("Send without the check").check()
    page.get_by_role("button", name="Send request").click()
    assert human(company, number_of(page)).startswith("unchecked")
    # Too old.
    guards(settings, "Cloudflare Turnstile", "site-old")
    page = new_person().visit(f"/forms/{company.code}?kind=opt-out")
    opts_out(page, checked=True)
    expect(page.get_by_role("main")).to_contain_text("It had been open for too long")


@pytest.mark.parametrize("provider", ["hCaptcha", "reCAPTCHA v2"])
def test_the_check_works_inside_a_shop_with_every_kind_of_box(
    new_company: Any, new_person: NewPerson, signed_in: SignedIn, provider: str
) -> None:
    company: Company = new_company()
    settings = signed_in(company.owner).visit("/dashboard/settings")
    name = settings.locator("#human-check option").filter(has_text=re.compile(re.escape(provider), re.IGNORECASE))
    guards(settings, str(name.first.text_content()), f"site-{provider.lower().replace(' ', '-')}")
    page = new_person().visit(shop(company, kind="opt-out"))
    form = framed(page)
    ask(form, "Do not sell or share my personal information")
    form.get_by_label("E-mail address or telephone number").fill(someone())
    passes(form)
    form.get_by_role("button", name="Send request").click()
    assert human(company, number_of(form)) == "checked"


def test_without_a_script_the_request_is_taken_and_confirmed_by_mail(
    new_company: Any, new_person: NewPerson, signed_in: SignedIn, mailbox: Mailbox
) -> None:
    company: Company = new_company()
    guards(signed_in(company.owner).visit("/dashboard/settings"), "Cloudflare Turnstile", "site-pass")
    person, email = new_person(javascript=False), someone()
    number = filed(person, company, "delete", email)
    assert human(company, number).startswith("unchecked")
    page = person.visit(mailbox.wait(email).link("/forms/confirmation/"))
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_be_visible()
    assert human(company, number) == "confirmed"


def human(company: Company, number: str) -> str:
    """What the stored request says of the check."""
    pages = company.cloud.aws("dynamodb").get_paginator("scan").paginate(
        TableName=company.cloud.stack["tables"]["requests"],
        FilterExpression="sk = :sk AND code = :code",
        ExpressionAttributeValues={":sk": {"S": number}, ":code": {"S": company.code}},
    )
    item = next(item for page in pages for item in page["Items"])
    return str(item["human"]["S"])
