"""Every page and every state of it: accessible, at home on a phone and on a wide screen, by day and by night, light.

What is looked at here is kept by `make screens` as a picture in target/screens: AREA/PAGE-360-dark.png.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from local import totp
from local.owners import Client
from playwright.sync_api import expect

from browser.company import Account, Company
from browser.looks import NARROWEST, Look, opens, overflowing
from browser.mailbox import Mailbox
from browser.people import PHONE, SESSION, NewPerson, Person, SignedIn, notice
from browser.telephone import Telephone
from browser.test_desk import PDF, action, enter, spoken
from browser.test_forms import number_of, someone
from browser.test_setup import tone

# What a first visit may weigh, in bytes.
FIRST_PAGE = 100_000


@pytest.fixture
def today() -> date:
    """Where the company is."""
    return datetime.now(ZoneInfo("America/Los_Angeles")).date()


@pytest.mark.screens
def test_sign_in_and_second_factor_are_cared_for(new_person: NewPerson, somebody: Account, look: Look) -> None:
    person = new_person()
    page = person.visit("/dashboard/sign-in")
    look(person, "doors/sign-in")
    page.get_by_label("E-mail address").fill("nobody@consumer.example")
    page.get_by_label("Password", exact=True).fill("not a password")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "doors/sign-in-wrong")
    page.get_by_label("E-mail address").fill(somebody.email)
    page.get_by_label("Password", exact=True).fill(somebody.password)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code from your app")).to_be_visible()
    look(person, "doors/second-factor")
    page.get_by_label("Code from your app").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#f-code-error")).to_be_visible()
    page.get_by_text("I have neither at hand").click()
    look(person, "doors/second-factor-wrong")


@pytest.mark.screens
def test_an_invitation_is_cared_for(new_person: NewPerson, new_company: Callable[[], Company], look: Look) -> None:
    company = new_company()
    person = new_person()
    page = person.visit(company.invitation)
    look(person, "doors/invitation")
    page.get_by_label("Your name").fill("Olivia Reyes")
    page.get_by_label("Choose a password", exact=True).fill("short")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#f-password-error")).to_be_visible()
    look(person, "doors/invitation-wrong")
    page.get_by_label("Choose a password", exact=True).fill("seven grey herons over the pier")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code that the app shows")).to_be_visible()
    look(person, "doors/invitation-factor")
    app = totp.App(page.locator("[data-totp-secret]").inner_text())
    page.get_by_label("Code that the app shows").fill(app.unused())
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-recovery-codes]")).to_be_visible()
    look(person, "doors/invitation-codes")
    other = new_person()
    other.visit(company.invitation)
    look(other, "doors/invitation-used")


@pytest.mark.screens
def test_a_reset_is_cared_for(new_person: NewPerson, somebody: Account, mailbox: Mailbox, look: Look) -> None:
    person = new_person()
    page = person.visit("/dashboard/reset")
    look(person, "doors/reset")
    page.get_by_label("E-mail address").evaluate("field => { field.type = 'text'; }")
    page.get_by_label("E-mail address").fill("not an address")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "doors/reset-wrong")
    page.get_by_label("E-mail address").fill(somebody.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("If there is an account")).to_be_visible()
    look(person, "doors/reset-sent")
    person.visit(mailbox.wait(somebody.email, about="password").link("/dashboard/new-password/"))
    look(person, "doors/new-password")
    person.visit("/dashboard/new-password/no-such-link")
    look(person, "doors/new-password-used")


@pytest.mark.screens
def test_ones_own_account_is_cared_for(signed_in: SignedIn, somebody: Account, look: Look) -> None:
    person = signed_in(somebody)
    person.passkeys()
    page = person.visit("/dashboard/account")
    look(person, "account/account")
    page.get_by_label("Password now", exact=True).fill("not my password")
    page.get_by_label("New password", exact=True).fill("nine quiet orchards in the rain")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "account/account-wrong")
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator(".menu-user > summary").click()
    look(person, "account/menu-of-the-person")
    person.visit("/dashboard/factors")
    look(person, "account/factors-without-passkey")
    page.get_by_role("button", name="Add a passkey").click()
    expect(notice(page, "It is added.")).to_be_visible()
    opens(page.locator("details.disclosure"))
    look(person, "account/factors")
    page.get_by_role("button", name="Make new codes").click()
    expect(page.locator("[data-recovery-codes]")).to_be_visible()
    look(person, "account/recovery-codes")
    person.visit("/dashboard/sessions")
    look(person, "account/sessions")
    person.grows_old(minutes=20)
    person.visit("/dashboard/factors")
    opens(page.locator("details.disclosure"))
    look(person, "account/confirm")


@pytest.mark.screens
def test_an_empty_desk_is_cared_for(signed_in: SignedIn, somebody: Account, look: Look) -> None:
    person = signed_in(somebody)
    for name, path in {
        "overview": "/dashboard/overview",
        "inbox": "/dashboard/requests",
        "inbox-filtered": "/dashboard/requests?kind=correct&overdue=on",
        "usage": "/dashboard/usage",
        "request-log": "/dashboard/request-log",
        "report": "/dashboard/report",
        "audit-filtered": "/dashboard/audit?act=recording-played",
        "nowhere": "/dashboard/request/000000000000",
    }.items():
        person.visit(path)
        look(person, f"empty/{name}")


@pytest.mark.screens
def test_the_inbox_and_the_overview_are_cared_for(
    signed_in: SignedIn, company: Company, clerk: Client, look: Look, today: date
) -> None:
    # One of each kind; some are late, some are due soon.
    days = {
        "delete": 60,
        "correct": 41,
        "know-specific": 30,
        "know-categories": 3,
        "opt-out": 20,
        "limit": 2,
        "message": 1,
    }
    references = [
        enter(
            clerk,
            company,
            kind=kind,
            channel=channel,
            received=str(today - timedelta(days=ago)),
            email=f"{kind}@home.example",
        )
        for (kind, ago), channel in zip(days.items(), ["mail", "email", "in-person", "phone"] * 2, strict=False)
    ]
    person = signed_in()
    page = person.visit("/dashboard/requests")
    expect(page.get_by_role("link", name=spoken(references[0]))).to_be_visible()
    look(person, "desk/inbox")
    page.set_viewport_size({"width": 360, "height": 740})
    page.locator(".menu-main > summary").click()
    look(person, "desk/inbox-menu")
    person.visit("/dashboard/requests?state=closed")
    look(person, "desk/inbox-closed")
    person.visit("/dashboard/overview")
    opens(page.locator("details.chart-table, .spark details"))
    look(person, "desk/overview")
    page = person.visit("/dashboard/requests")
    page.get_by_label("Reference, telephone number or e-mail").fill("delete@home.example")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name=spoken(references[0]))).to_be_visible()
    look(person, "desk/found")
    page.get_by_label("Reference, telephone number or e-mail").fill("nobody")
    page.get_by_role("button", name="Find").click()
    look(person, "desk/find-wrong")
    page = person.visit("/dashboard/requests")
    page.get_by_role("button", name="Go on").click()
    look(person, "desk/bulk-nothing-chosen")
    page = person.visit("/dashboard/requests")
    for reference in references[:3]:
        page.get_by_role("checkbox", name=f"Choose {spoken(reference)}").check()
    page.get_by_label("What to do").select_option("deny")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "desk/bulk-wrong")
    page.locator("[name=ground][value=no-data]").check()
    page.locator("[name=explanation]").fill("We hold nothing of theirs.")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("table")).to_be_visible()
    look(person, "desk/bulk-results")


@pytest.mark.screens
def test_a_request_is_cared_for_in_every_state(
    signed_in: SignedIn, company: Company, clerk: Client, telephone: Telephone, look: Look
) -> None:
    call = telephone.call(
        "1", f"{company.code}#", "4", "1", "speak my name is Jordan Ellis", "1",
        "speak my address is wrong it is twelve Elm Street since May", "1", "1",
    )  # fmt: skip
    assert call.reference
    person = signed_in()
    page = person.visit(f"/dashboard/request/{call.reference}")
    end = time.monotonic() + 20
    while page.locator("#spoken blockquote").count() < 2 and time.monotonic() < end:
        time.sleep(0.5)
        page.reload()
    page.get_by_label("File", exact=True).set_input_files(
        {
            "name": "a-letter-with-quite-a-long-name-as-scanners-give-them-2026-11-22.pdf",
            "mimeType": "application/pdf",
            "buffer": PDF,
        }
    )
    page.get_by_role("button", name="Add file").click()
    page.get_by_label("Note", exact=True).fill(
        "Called back.\nAnother try on Monday: https://a.very.long.example/" + "x" * 80
    )
    page.get_by_role("button", name="Add note").click()
    expect(notice(page, "Note added.")).to_be_visible()
    look(person, "desk/request")
    opens(page.locator("details"))
    look(person, "desk/request-all-open")
    slow = signed_in()
    slow.visit(f"/dashboard/request/{call.reference}")
    form = action(page, "Ask for verification")
    form.locator("[name=asked]").fill("Her account number.")
    form.get_by_role("button", name="Ask for verification").click()
    expect(notice(page, "Verification begun.")).to_be_visible()
    look(person, "desk/request-verifying")
    form = action(slow.page, "Deny")
    form.locator("summary").click()
    form.locator("[name=explanation]").fill("It is right as it is.")
    form.get_by_role("button", name="Deny").click()
    expect(notice(slow.page, "was faster")).to_be_visible()
    look(slow, "desk/request-changed-meanwhile")
    slow.page.get_by_role("button", name="Deny").click()
    expect(slow.page.get_by_role("alert")).to_be_visible()
    look(slow, "desk/request-denial-wrong")
    slow.page.locator("[name=ground][value=accurate]").check()
    slow.page.get_by_role("button", name="Deny").click()
    page = person.visit(f"/dashboard/request/{call.reference}")
    opens(page.locator("details.action"))
    look(person, "desk/request-closed")
    viewer = signed_in("viewer")
    viewer.visit(f"/dashboard/request/{call.reference}")
    look(viewer, "desk/request-of-a-viewer")


@pytest.mark.screens
def test_what_is_entered_and_taken_out_is_cared_for(signed_in: SignedIn, look: Look) -> None:
    person = signed_in()
    page = person.visit("/dashboard/new-request")
    look(person, "desk/new-request")
    page.get_by_label("Delete", exact=True).check()
    page.get_by_label("Letter").check()
    page.get_by_label("Telephone").fill("12")
    page.get_by_role("button", name="Enter request").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "desk/new-request-wrong")
    page = person.visit("/dashboard/export")
    look(person, "desk/export")
    page.get_by_label("Received from").fill("2026-12-31")
    page.get_by_label("to", exact=True).fill("2026-01-01")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "desk/export-wrong")


@pytest.mark.screens
def test_service_codes_and_greetings_are_cared_for(signed_in: SignedIn, company: Company, look: Look) -> None:
    person = signed_in()
    page = person.visit("/dashboard/service-codes")
    look(person, "setup/service-codes")
    person.visit(f"/dashboard/service-code/{company.code}")
    look(person, "setup/service-code")
    person.visit("/dashboard/service-code/new")
    page.get_by_label("Name", exact=True).fill("Nothing else")
    page.get_by_label("Code", exact=True).fill("000")
    page.get_by_label("Sites that may send requests").fill("not a site")
    page.get_by_role("button", name="Create service code").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "setup/service-code-wrong")
    person.visit(f"/dashboard/greeting/{company.code}?language=en")
    look(person, "setup/greeting")
    field = page.get_by_label("Recording", exact=True)
    field.set_input_files({"name": "hello.mp3", "mimeType": "audio/mpeg", "buffer": b"no sound" * 50})
    page.get_by_role("button", name="Upload and listen").click()
    expect(notice(page, "This file cannot be a greeting")).to_be_visible()
    look(person, "setup/greeting-refused")
    field.set_input_files({"name": "hello.wav", "mimeType": "audio/wav", "buffer": tone()})
    page.get_by_role("button", name="Upload and listen").click()
    expect(page.get_by_role("heading", name="Your new recording")).to_be_visible()
    look(person, "setup/greeting-preview")
    viewer = signed_in("viewer")
    viewer.visit(f"/dashboard/service-code/{company.code}")
    look(viewer, "setup/service-code-of-a-viewer")


@pytest.mark.screens
def test_team_and_settings_are_cared_for(signed_in: SignedIn, company: Company, look: Look) -> None:
    company.member("agent")
    company.member("viewer")
    person = signed_in()
    page = person.visit("/dashboard/team")
    opens(page.locator("main details"))
    look(person, "setup/team")
    page.locator("#invite").get_by_label("E-mail address").fill(company.owner.email)
    page.locator("#invite").get_by_label("Name").fill("Somebody")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "setup/team-wrong")
    page = person.visit("/dashboard/settings")
    look(person, "setup/settings")
    page.get_by_label("Days before the last day").fill("2, 5, 10")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(person, "setup/settings-wrong")
    viewer = signed_in("viewer")
    viewer.visit("/dashboard/settings")
    look(viewer, "setup/settings-of-a-viewer")
    viewer.visit("/dashboard/team")
    look(viewer, "setup/team-of-a-viewer")


@pytest.mark.screens
def test_the_proof_is_cared_for(
    signed_in: SignedIn, company: Company, clerk: Client, telephone: Telephone, look: Look
) -> None:
    enter(clerk, company, name="=1+1")
    telephone.call("1", f"{company.code}#", "1", "1", "1")
    person = signed_in()
    for name, path in {
        "audit": "/dashboard/audit",
        "audit-export": "/dashboard/audit-export",
        "report": "/dashboard/report?scope=all",
        "request-log": "/dashboard/request-log",
        "usage": "/dashboard/usage",
    }.items():
        page = person.visit(path)
        opens(page.locator("details.chart-table"))
        look(person, f"proof/{name}")


# What the pages of consumers are told by, in either language.
CONSUMERS = {
    "en": {
        "name": "Full name",
        "email": "E-mail address",
        "send": "Send request",
        "opt-out": "Do not sell or share",
        "look": "See how it stands",
        "code": "Go on with a code",
        "by-mail": "Send it by e-mail",
        "digits": "Code",
        "open": "Open the request",
        "back": "Take it back …",
        "sure": "Yes, take it back",
        "gone": "You have taken the request back",
    },
    "es": {
        "name": "Nombre completo",
        "email": "Correo electrónico",
        "send": "Enviar solicitud",
        "opt-out": "No vender ni compartir",
        "look": "Ver cómo va",
        "code": "Seguir con un código",
        "by-mail": "Enviarlo por correo",
        "digits": "Código",
        "open": "Abrir la solicitud",
        "back": "Retirarla …",
        "sure": "Sí, retirarla",
        "gone": "Retiró la solicitud",
    },
}


@pytest.mark.screens
@pytest.mark.parametrize("language", ["en", "es"])
def test_what_consumers_meet_is_cared_for(
    new_person: NewPerson, company: Company, clerk: Client, mailbox: Mailbox, look: Look, language: str
) -> None:
    words, locale, code = CONSUMERS[language], f"{language}-US", company.code

    def at(person: Person, name: str) -> None:
        # In Spanish the words are others, and the elements are the same.
        look(person, f"consumers/{name}-{language}", rules=language == "en")

    # One of them has no script, and gets as far.
    person, email = new_person(locale=locale, javascript=language == "en"), someone()
    page = person.visit(f"/forms/{code}")
    at(person, "form")
    page = person.visit(f"/forms/{code}?kind=know-specific&requester=agent")
    at(person, "form-of-an-agent")
    page = person.visit(f"/forms/{code}?kind=know-specific")
    page.get_by_label(words["name"]).fill("Ana María Prieto")
    page.get_by_label(words["email"]).fill("ana@localhost")
    page.get_by_role("button", name=words["send"]).click()
    expect(page.locator("[id$=email-error]")).to_be_visible()
    at(person, "form-wrong")
    page.get_by_label(words["email"]).fill(email)
    page.get_by_role("button", name=words["send"]).click()
    number = number_of(page)
    at(person, "receipt")

    page = person.visit(f"/privacy-choices/{code}")
    at(person, "choices")
    page.get_by_role("button", name=words["opt-out"]).click()
    expect(page.locator("#reference")).to_be_visible()
    at(person, "choices-one-step-left")
    person.visit(f"/privacy-notice/{code}")
    at(person, "notice-unwritten")

    person.visit("/status")
    at(person, "status")
    page = person.visit(f"/status?code={code}")
    page.locator("[name=reference]").fill("0000 0000 0000")
    page.get_by_role("button", name=words["look"]).click()
    expect(page.locator(".notice").first).to_be_visible()
    at(person, "status-nothing-found")
    page.locator("[name=reference]").fill(number)
    page.get_by_role("button", name=words["look"]).click()
    expect(page.get_by_role("link", name=words["code"])).to_be_visible()
    at(person, "status-of-a-request")
    page.get_by_role("link", name=words["code"]).click()
    before = mailbox.wait(email).at
    page.get_by_role("button", name=words["by-mail"]).click()
    digits = re.search(r"\b(\d{6})\b", mailbox.wait(email, since=before).text)
    assert digits
    page.get_by_label(words["digits"], exact=True).fill("000000" if digits[1] != "000000" else "111111")
    page.get_by_role("button", name=words["open"]).click()
    expect(page.get_by_role("alert")).to_be_visible()
    at(person, "identity-wrong")
    page.get_by_label(words["digits"], exact=True).fill(digits[1])
    page.get_by_role("button", name=words["open"]).click()
    page.locator("#f-message-text").fill("Please look under my old address, too:\n12 Elm Street.")
    page.locator("#message button").last.click()
    expect(page.locator("#messages")).to_contain_text("12 Elm Street.")
    desk = clerk.get(f"/dashboard/request/{number}")
    verify = next(form for form in desk.forms if form.fields.get("action") == "verify")
    clerk.submit(desk, verify, asked="A copy of her last invoice, and whatever else she has at hand.")
    page.reload()
    at(person, "case")
    page.locator("summary, a, button").filter(has_text=words["back"]).first.click()
    expect(page.get_by_role("button", name=words["sure"])).to_be_visible()
    at(person, "withdraw")
    page.get_by_role("button", name=words["sure"]).click()
    expect(page.get_by_text(words["gone"])).to_be_visible()
    at(person, "withdrawn")


def test_pages_are_accessible_without_their_script(
    new_person: NewPerson, signed_in: SignedIn, clerk: Client, company: Company, axe: Callable[..., None]
) -> None:
    person = new_person(javascript=False)
    person.visit("/dashboard/sign-in")
    axe(person)
    reference = enter(clerk, company)
    person = signed_in(javascript=False, viewport=PHONE)
    for path in ("/dashboard/requests", f"/dashboard/request/{reference}", "/dashboard/factors"):
        person.visit(path)
        axe(person)


def test_every_page_fits_in_spanish(signed_in: SignedIn, new_company: Callable[[], Company], clerk: Client) -> None:
    company = new_company()
    clerk.keep(SESSION, company.owner.session)
    page = clerk.get("/dashboard/account")
    clerk.submit(page, page.form("language", "reports"), language="es")
    reference = enter(clerk, company)
    person = signed_in(company.owner, locale="es-US", viewport=NARROWEST)
    wide = []
    for path in (
        *("/dashboard/overview", "/dashboard/requests", f"/dashboard/request/{reference}", "/dashboard/new-request"),
        *("/dashboard/export", "/dashboard/service-codes", f"/dashboard/service-code/{company.code}"),
        *(f"/dashboard/greeting/{company.code}", "/dashboard/team", "/dashboard/settings", "/dashboard/usage"),
        *("/dashboard/audit", "/dashboard/audit-export", "/dashboard/report", "/dashboard/request-log"),
        *("/dashboard/recycle-bin", "/dashboard/account", "/dashboard/factors", "/dashboard/sessions"),
    ):
        page_ = person.visit(path)
        expect(page_.locator("html")).to_have_attribute("lang", "es")
        opens(page_.locator("main details"))
        if page_.evaluate("document.scrollingElement.scrollWidth") > NARROWEST[0]:
            wide.append(f"{path}: {overflowing(page_)}")
    assert not wide, "\n".join(wide)


def test_the_first_page_is_light_and_its_assets_stay(new_person: NewPerson) -> None:
    person = new_person()
    sizes: dict[str, float] = {}
    answers: dict[str, dict[str, Any]] = {}
    network = person.context.new_cdp_session(person.page)
    network.send("Network.enable")
    network.on("Network.responseReceived", lambda it: answers.update({it["requestId"]: it["response"]}))
    network.on("Network.loadingFinished", lambda it: sizes.update({it["requestId"]: it["encodedDataLength"]}))
    page = person.visit("/dashboard/sign-in")
    # A browser without a window draws no icon.
    page.evaluate("fetch(document.querySelector('link[rel=icon]').href)")
    page.wait_for_load_state("networkidle")
    loaded = {urlsplit(answers[it]["url"]).path: size for it, size in sizes.items()}
    assert {path.rpartition(".")[2] for path in loaded} >= {"/dashboard/sign-in", "css", "js", "svg"}, loaded
    assert sum(loaded.values()) < FIRST_PAGE, loaded
    for answer in answers.values():
        asset = "/dashboard/asset/" in answer["url"]
        assert ("immutable" if asset else "no-store") in answer["headers"]["cache-control"], answer["url"]
    # The second time, only the page itself is asked for.
    answers.clear()
    cached: list[str] = []
    network.on("Network.requestServedFromCache", lambda it: cached.append(it["requestId"]))
    person.visit("/dashboard/reset")
    page.wait_for_load_state("networkidle")
    asked = {it: answer for it, answer in answers.items() if it not in cached and not answer.get("fromDiskCache")}
    assert [urlsplit(answer["url"]).path for answer in asked.values()] == ["/dashboard/reset"]
