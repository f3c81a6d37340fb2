"""Getting in, staying in and leaving: sign-in, second factors, invitations, resets, sessions."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from local import totp
from local.owners import Client
from playwright.sync_api import Page, expect

from browser.company import Account, Company
from browser.mailbox import Mailbox
from browser.people import PHONE, NewPerson, Person, SignedIn, notice

OVERVIEW = re.compile(r"/dashboard/overview$")
SIGN_IN = re.compile(r"/dashboard/sign-in")
SECOND_FACTOR = re.compile(r"/dashboard/second-factor$")
FACTORS = re.compile(r"/dashboard/factors(\?done=\w+)?$")
CONFIRM = re.compile(r"/dashboard/confirm\?next=")


def shows_password(person: Person, account: Account, password: str | None = None) -> Page:
    """The first half of signing in, as whom and with which password."""
    page = person.visit("/dashboard/sign-in")
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password", exact=True).fill(password or account.password)
    page.get_by_role("button", name="Continue").click()
    return page


def signs_in(person: Person, account: Account) -> Page:
    page = shows_password(person, account)
    expect(page).to_have_url(SECOND_FACTOR)
    page.get_by_label("Code from your app").fill(account.app.unused())
    page.get_by_role("button", name="Sign in").click()
    expect(page).not_to_have_url(SECOND_FACTOR)
    return page


def adds_a_passkey(person: Person, name: str) -> Page:
    page = person.visit("/dashboard/factors")
    page.get_by_label("What to call it").first.fill(name)
    page.get_by_role("button", name="Add a passkey").click()
    expect(notice(page, "It is added.")).to_be_visible()
    return page


def test_a_password_and_a_code_open_the_overview(new_person: NewPerson, somebody: Account) -> None:
    person = new_person()
    page = signs_in(person, somebody)
    expect(page).to_have_url(OVERVIEW)
    session = person.cookies()["__Host-session"]
    assert session["httpOnly"] and session["secure"] and session["sameSite"] == "Lax"
    assert session["value"] != somebody.session


def test_the_page_that_was_asked_for_opens_after_sign_in(new_person: NewPerson, somebody: Account) -> None:
    person = new_person()
    page = person.visit("/dashboard/sessions")
    expect(page).to_have_url(SIGN_IN)
    page.get_by_label("E-mail address").fill(somebody.email)
    page.get_by_label("Password", exact=True).fill(somebody.password)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code from your app").fill(somebody.app.unused())
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/dashboard/sessions$"))


def test_a_wrong_password_and_an_unknown_address_are_told_the_same(new_person: NewPerson, somebody: Account) -> None:
    told = []
    for email in (somebody.email, f"nobody-{somebody.email}"):
        page = new_person().visit("/dashboard/sign-in")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password", exact=True).fill("not their password at all")
        page.get_by_role("button", name="Continue").click()
        alert = page.get_by_role("alert")
        expect(alert).to_be_focused()
        expect(page.get_by_label("E-mail address")).to_have_value(email)
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        told.append(alert.inner_text())
    assert told[0] == told[1]


def test_a_wrong_code_and_a_used_code_are_told_the_same(new_person: NewPerson, somebody: Account) -> None:
    code = somebody.app.unused()
    used = new_person()
    page = shows_password(used, somebody)
    page.get_by_label("Code from your app").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(OVERVIEW)
    told = []
    for wrong in (code, f"{(int(code) + 1) % 1_000_000:06}"):
        page = shows_password(new_person(), somebody)
        page.get_by_label("Code from your app").fill(wrong)
        page.get_by_role("button", name="Sign in").click()
        error = page.locator("#f-code-error")
        expect(error).to_be_visible()
        expect(page.get_by_label("Code from your app")).to_have_attribute("aria-invalid", "true")
        told.append(error.inner_text())
    assert told[0] == told[1]


def test_a_passkey_alone_signs_in(signed_in: SignedIn, somebody: Account) -> None:
    person = signed_in(somebody)
    passkeys = person.passkeys()
    page = adds_a_passkey(person, "My laptop")
    expect(page.get_by_role("heading", name="My laptop")).to_be_visible()
    assert len(passkeys.all()) == 1
    person.context.clear_cookies()
    page = person.visit("/dashboard/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(OVERVIEW)


def test_a_passkey_is_a_second_factor_too_and_only_for_its_owner(signed_in: SignedIn, somebody: Account) -> None:
    person = signed_in(somebody)
    passkeys = person.passkeys()
    adds_a_passkey(person, "My laptop")
    person.context.clear_cookies()
    page = shows_password(person, somebody)
    passkeys.recognises(False)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".passkey-said")).to_have_text(re.compile("That did not work"))
    expect(page).to_have_url(SECOND_FACTOR)
    passkeys.recognises(True)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(OVERVIEW)


def test_a_passkey_is_renamed_and_removed_and_the_last_factor_stays(
    signed_in: SignedIn, somebody: Account, mailbox: Mailbox
) -> None:
    person = signed_in(somebody)
    person.passkeys()
    page = adds_a_passkey(person, "My laptop")
    page.get_by_text("Rename or remove").click()
    page.locator("#f-passkey-1-name").fill("The <b>old</b> laptop")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="The <b>old</b> laptop")).to_be_visible()
    page.get_by_text("Rename or remove").click()
    page.locator("section").get_by_role("button", name="Remove").first.click()
    expect(notice(page, "It is removed.")).to_be_visible()
    page.get_by_role("button", name="Remove the app").click()
    expect(notice(page, "This is your last second factor.")).to_be_visible()
    assert mailbox.wait(somebody.email, about="has changed")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_invitation_is_accepted_on_a_phone(
    new_person: NewPerson, new_company: Callable[[], Company], mailbox: Mailbox, javascript: bool
) -> None:
    company = new_company()
    link = mailbox.wait(company.owner_email, about="invitation").link("/dashboard/invitation/")
    assert link == company.invitation
    person = new_person(viewport=PHONE, javascript=javascript)
    page = person.visit(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Join Lakeside Outdoor")
    page.get_by_label("Your name").fill("Olivia Reyes")
    page.get_by_label("Choose a password", exact=True).fill("password1234")
    page.get_by_role("button", name="Continue").click()
    # A password that many have is refused, and the name is still there.
    expect(page.locator("#f-password-error")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Olivia Reyes")
    password = "seven grey herons over the pier"
    page.get_by_label("Choose a password", exact=True).fill(password)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    app = totp.App(page.locator("[data-totp-secret]").inner_text())
    page.get_by_label("Code that the app shows").fill(app.unused())
    page.get_by_role("button", name="Continue").click()
    codes = page.locator("[data-recovery-codes] li").all_inner_texts()
    assert len(codes) == 10 and len(set(codes)) == 10
    page.get_by_role("link", name="I have written them down").click()
    expect(page).to_have_url(OVERVIEW)
    # The codes are shown once, and the link is good once.
    page.goto(f"{link}?step=codes")
    assert codes[0] not in page.content()
    other = new_person().visit(link)
    expect(other.get_by_role("heading", level=1)).to_have_text("This invitation is no longer good")
    account = Account(company.owner_email, "Olivia Reyes", "owner", password, app, codes, "")
    expect(signs_in(new_person(javascript=javascript), account)).to_have_url(OVERVIEW)


def test_a_recovery_code_signs_in_once_and_leads_to_the_factors(
    new_person: NewPerson, somebody: Account, mailbox: Mailbox
) -> None:
    for attempt in ("first", "second"):
        page = shows_password(new_person(), somebody)
        page.get_by_text("I have neither at hand").click()
        page.get_by_label("Recovery code").fill(somebody.recovery_codes[3].upper())
        page.locator("#recovery").get_by_role("button", name="Sign in").click()
        if attempt == "first":
            expect(page).to_have_url(FACTORS)
            expect(page.get_by_text("9 codes are left.")).to_be_visible()
        else:
            expect(page.get_by_role("alert")).to_be_visible()
            expect(page).to_have_url(SECOND_FACTOR)
    assert mailbox.wait(somebody.email, about="has changed")


def test_new_recovery_codes_are_shown_once(signed_in: SignedIn, somebody: Account) -> None:
    page = signed_in(somebody).visit("/dashboard/factors")
    page.get_by_role("button", name="Make new codes").click()
    codes = page.locator("[data-recovery-codes] li").all_inner_texts()
    assert len(codes) == 10 and not set(codes) & set(somebody.recovery_codes)
    page.reload()
    assert codes[0] not in page.content()


def test_a_new_password_by_mail_never_bypasses_the_second_factor(
    new_person: NewPerson, signed_in: SignedIn, somebody: Account, mailbox: Mailbox
) -> None:
    elsewhere = signed_in(somebody)
    elsewhere.visit("/dashboard/account")
    page = new_person().visit("/dashboard/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(somebody.email)
    page.get_by_role("button", name="Send the link").click()
    expect(notice(page, "If there is an account with this address")).to_be_visible()
    link = mailbox.wait(somebody.email, about="password").link("/dashboard/new-password/")
    person = new_person(javascript=False)
    page = person.visit(link)
    page.get_by_label("New password", exact=True).fill("too short")
    page.get_by_role("button", name="Save the password").click()
    expect(page.locator("#f-password-error")).to_be_visible()
    password = "five yellow lanterns at the gate"
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_role("button", name="Save the password").click()
    expect(page).to_have_url(SIGN_IN)
    assert "__Host-session" not in person.cookies()
    # Every session has ended, the old password is nobody's, and the new one still asks for the code.
    elsewhere.page.reload()
    expect(elsewhere.page).to_have_url(SIGN_IN)
    page = shows_password(new_person(), somebody)
    expect(page.get_by_role("alert")).to_be_visible()
    person = new_person()
    page = shows_password(person, somebody, password)
    expect(page).to_have_url(SECOND_FACTOR)
    assert "__Host-session" not in person.cookies()
    page.goto(f"{person.cloud.base_url}/dashboard/account")
    expect(page).to_have_url(SIGN_IN)
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is no longer good")


def test_nobody_learns_from_a_reset_who_has_an_account(new_person: NewPerson, somebody: Account) -> None:
    told = []
    for email in (somebody.email, f"nobody-{somebody.email}"):
        page = new_person().visit("/dashboard/reset")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_role("button", name="Send the link").click()
        expect(page).to_have_url(re.compile("sent=1"))
        told.append(page.get_by_role("main").inner_text())
    assert told[0] == told[1]


def test_delicate_pages_ask_once_more_who_is_there(signed_in: SignedIn, somebody: Account) -> None:
    person = signed_in(somebody)
    person.grows_old(minutes=20)
    page = person.visit("/dashboard/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    page.get_by_role("link", name="Passkeys and codes").first.click()
    expect(page).to_have_url(CONFIRM)
    page.get_by_label("Password", exact=True).fill("not my password")
    page.get_by_label("Code from your app").fill(somebody.app.unused())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Password", exact=True).fill(somebody.password)
    page.get_by_label("Code from your app").fill(somebody.app.unused())
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(FACTORS)


def test_a_passkey_confirms_who_is_there(signed_in: SignedIn, somebody: Account) -> None:
    person = signed_in(somebody)
    person.passkeys()
    adds_a_passkey(person, "My laptop")
    person.grows_old(minutes=20)
    page = person.visit("/dashboard/factors")
    expect(page).to_have_url(CONFIRM)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(FACTORS)


def test_a_session_that_is_ended_elsewhere_is_out_on_its_next_click(
    new_person: NewPerson, signed_in: SignedIn, somebody: Account
) -> None:
    first = signed_in(somebody)
    first.visit("/dashboard/account")
    second = new_person(viewport=PHONE)
    signs_in(second, somebody)
    page = second.visit("/dashboard/sessions")
    rows = page.get_by_role("main").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(2)
    others = rows.filter(has_not=page.get_by_text("This one"))
    others.get_by_role("button", name="End").click()
    expect(notice(page, "It is ended.")).to_be_visible()
    expect(rows).to_have_count(1)
    first.page.get_by_role("link", name="Where you are signed in").last.click()
    expect(first.page).to_have_url(SIGN_IN)
    expect(second.visit("/dashboard/sessions").get_by_role("heading", level=1)).to_be_visible()


def test_signing_out_leaves_nothing_behind(signed_in: SignedIn, somebody: Account) -> None:
    person = signed_in(somebody)
    page = person.visit("/dashboard/account")
    page.locator(".menu-user > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(SIGN_IN)
    expect(notice(page, "You are signed out.")).to_be_visible()
    assert "__Host-session" not in person.cookies()
    page.go_back()
    expect(page.get_by_text(somebody.email)).to_have_count(0)
    # Nor does a copy of the cookie open anything.
    person.keep(somebody.session)
    expect(person.visit("/dashboard/account")).to_have_url(SIGN_IN)


def test_a_new_password_ends_every_other_session(new_person: NewPerson, signed_in: SignedIn, somebody: Account) -> None:
    first = signed_in(somebody)
    second = new_person()
    signs_in(second, somebody)
    page = first.visit("/dashboard/account")
    page.get_by_label("Password now", exact=True).fill("not my password at all")
    page.get_by_label("New password", exact=True).fill("nine quiet orchards in the rain")
    page.get_by_role("button", name="Change the password").click()
    expect(notice(page, "This is not your password.")).to_be_visible()
    page.get_by_label("Password now", exact=True).fill(somebody.password)
    page.get_by_label("New password", exact=True).fill("nine quiet orchards in the rain")
    page.get_by_role("button", name="Change the password").click()
    expect(notice(page, "Your password is changed.")).to_be_visible()
    expect(second.visit("/dashboard/account")).to_have_url(SIGN_IN)
    expect(first.visit("/dashboard/account").get_by_role("heading", level=1)).to_have_text("Your account")


def test_spanish_comes_by_the_browsers_wish_or_by_choice_and_stays(new_person: NewPerson, somebody: Account) -> None:
    page = new_person(locale="es-MX").visit("/dashboard/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Iniciar sesión")
    page = new_person().visit("/dashboard/sign-in")
    page.get_by_role("link", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_label("Correo electrónico").fill(somebody.email)
    page.get_by_label("Contraseña", exact=True).fill(somebody.password)
    page.get_by_role("button", name="Continuar").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_label("Código de su aplicación").fill(somebody.app.unused())
    page.get_by_role("button", name="Entrar").click()
    # Inside, everybody's own language counts.
    page.goto(f"{page.url.split('/dashboard')[0]}/dashboard/account")
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Su cuenta")
    expect(page.locator("html")).to_have_attribute("lang", "es")


def test_signing_in_needs_no_script(new_person: NewPerson, somebody: Account) -> None:
    person = new_person(javascript=False, viewport=PHONE)
    expect(person.visit("/dashboard/sign-in").get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(signs_in(person, somebody)).to_have_url(OVERVIEW)
    page = person.visit("/dashboard/account")
    page.get_by_label("Your name").fill("Olivia R. Reyes")
    page.get_by_role("button", name="Save").click()
    expect(notice(page, "Saved.")).to_be_visible()
    page.locator(".menu-user > summary").click()
    expect(page.get_by_text("Olivia R. Reyes").last).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(SIGN_IN)


def test_signing_in_needs_no_mouse(new_person: NewPerson, somebody: Account) -> None:
    page = new_person().visit("/dashboard/sign-in")
    # The first field has the focus; the keys alone lead on from there.
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(somebody.email)
    page.keyboard.press("Tab")
    page.keyboard.type(somebody.password)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code from your app")).to_be_focused()
    page.keyboard.type(somebody.app.unused())
    page.keyboard.press("Enter")
    expect(page).to_have_url(OVERVIEW)


def test_a_try_too_many_is_told_when_to_come_back(
    new_person: NewPerson, somebody: Account, new_client: Callable[[], Client]
) -> None:
    # Tries are counted by the quarter of an hour: all of these belong in one.
    left = 900 - time.time() % 900
    if left < 30:
        time.sleep(left)

    def tries(_: int) -> int:
        client = new_client()
        page = client.get("/dashboard/sign-in")
        wrong = {"email": somebody.email, "password": "not their password at all"}
        return client.submit(page, page.form("email", "password"), **wrong).status

    with ThreadPoolExecutor(5) as people:
        assert set(people.map(tries, range(10))) == {422}
    # Also with the right password.
    page = shows_password(new_person(), somebody)
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many tries")
    expect(page.get_by_text(re.compile(r"Please wait \d+ (minute|second)"))).to_be_visible()
