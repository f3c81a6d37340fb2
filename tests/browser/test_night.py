"""What the nights bring: the recycle bin and legal holds, the bill, mails and their end, and a business that leaves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from local.owners import Client
from playwright.sync_api import Page, expect

from browser import billing
from browser.company import Account, Company
from browser.looks import Look, opens
from browser.mailbox import Mailbox
from browser.people import PHONE, SESSION, NewPerson, Person, SignedIn, notice
from browser.test_desk import enter, open_request, spoken
from browser.test_forms import filed, framed, opens_doors, shop, someone

ZONE = ZoneInfo("America/Los_Angeles")


@contextmanager
def spanish(clerk: Client, company: Company) -> Iterator[None]:
    """The owner reads Spanish for a while. In it the words are others, and the elements are the same."""
    clerk.keep(SESSION, company.owner.session)
    for language in ("es", "en"):
        page = clerk.get("/dashboard/account")
        clerk.submit(page, page.form("language", "reports"), language=language)
        if language == "es":
            yield


def answered(clerk: Client, company: Company) -> str:
    """A request that is done today; its reference."""
    reference = enter(clerk, company)
    page = clerk.get(f"/dashboard/request/{reference}")
    complete = next(form for form in page.forms if form.fields.get("action") == "complete")
    done = clerk.submit(page, complete, done="It is all deleted.", identity="She knew her account number.")
    assert done.status == 200, f"{done.url} answered {done.status}."
    return reference


# ── The recycle bin, and legal holds ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.screens
def test_what_lies_in_the_bin_is_taken_out_and_what_is_held_stays(
    new_company: Callable[[], Company], signed_in: SignedIn, clerk: Client, look: Look
) -> None:
    company = new_company()
    clerk.keep(SESSION, company.owner.session)
    first, second = answered(clerk, company), answered(clerk, company)
    # Nothing here needs a script.
    person = signed_in(company.owner, javascript=False)
    page = person.visit("/dashboard/recycle-bin")
    expect(page.get_by_text("The recycle bin is empty")).to_be_visible()
    look(person, "night/bin-empty")
    # Two years later, at three in the morning.
    company.until("retention", datetime.now(ZONE).replace(hour=3) + timedelta(days=2 * 366 + 2))
    page.reload()
    expect(page.get_by_role("row").filter(has_text=spoken(first))).to_be_visible()
    page.get_by_role("link", name=spoken(second)).click()
    expect(page.get_by_text("In the recycle bin since")).to_be_visible()
    opens(page.locator("#hold details"))
    look(person, "night/request-in-the-bin")
    hold = page.locator("#hold")
    page.locator("#hold textarea").evaluate("field => field.removeAttribute('required')")
    hold.get_by_role("button", name="Place a legal hold").click()
    expect(page.locator("#f-hold-form-reason-error")).to_be_visible()
    look(person, "night/hold-without-a-reason")
    page.locator("#hold textarea").fill("Pérez v. Lakeside, until the appeal is over.\nAsk Marcus before lifting it.")
    page.get_by_role("button", name="Place a legal hold").click()
    expect(notice(page, "The request is under a legal hold.")).to_be_visible()
    look(person, "night/request-held-in-the-bin", rules=False)
    page = person.visit("/dashboard/recycle-bin")
    expect(page.get_by_role("row").filter(has_text=spoken(second))).to_contain_text("Legal hold")
    look(person, "night/bin")
    with spanish(clerk, company):
        person.visit("/dashboard/recycle-bin")
        look(person, "night/bin-es", rules=False)
        person.visit(f"/dashboard/request/{second}")
        look(person, "night/request-held-in-the-bin-es", rules=False)
    page = person.visit("/dashboard/recycle-bin")
    # Two people at once: whoever is second is where the first has brought it.
    slow = signed_in(company.owner, viewport=PHONE)
    slow.visit("/dashboard/recycle-bin")
    for window in (page, slow.page):
        window.get_by_role("row").filter(has_text=spoken(first)).get_by_role("button").click()
        expect(notice(window, "The request is back where it was.")).to_be_visible()
    look(slow, "night/restored", rules=False)
    page = open_request(person, second)
    page.get_by_role("button", name="Lift the hold").click()
    expect(notice(page, "The hold is lifted.")).to_be_visible()
    expect(page.get_by_role("button", name="Lift the hold")).to_have_count(0)


# ── The bill ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.screens
def test_an_owner_decides_what_cannot_be_billed_by_itself_and_takes_the_statement(
    new_company: Callable[[], Company], signed_in: SignedIn, clerk: Client, look: Look
) -> None:
    company = new_company()
    # Last month is over, wherever today is in this one.
    month = (date.today().replace(day=1) - timedelta(days=1)).replace(day=1)
    days = [month + timedelta(days=n) for n in range(3, 7)]
    settled = {"states": (billing.CONFIRMED, billing.CONFIRMED)}
    held = {"held": {"found": 1203, "expected": 1204}}
    reopened = {"reopened": {"last": None, "reason": "meter_event_customer_not_found"}}
    gone = {"expired": {"at": f"{date.today()}T00:30:00Z"}}
    large = {"calls": 402, "minutes": 1204}
    billing.put(company, days[0], {**large, "states": (billing.CONFIRMED, held)}, **large)
    billing.check(company, days[0], {"stripe": {"meter": "minutes", "found": 1203, "expected": 1204}})
    both = {"calls": 3, "minutes": 8, **settled}, {"calls": 1, "minutes": 2, **settled}
    billing.put(company, days[1], *both, calls=4, minutes=10)
    billing.check(company, days[1], found_at_twilio=1)
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    billing.put(company, yesterday, {"calls": 7, "minutes": 19, "states": (reopened, reopened)}, calls=7, minutes=19)
    billing.put(company, days[2], {"calls": 2, "minutes": 5, "states": (gone, gone)}, calls=2, minutes=5)
    billing.put(company, days[3], calls=1, minutes=1)
    billing.put(company, datetime.now(timezone.utc).date(), calls=12, minutes=31)
    usage = f"/dashboard/usage?month={month:%Y-%m}"

    person = signed_in(company.owner)
    person.visit("/dashboard/usage")
    look(person, "night/usage-of-this-month")
    page = person.visit(usage)
    expect(page.get_by_role("table", name="Day by day").get_by_text("Needs a decision")).to_be_visible()
    opens(page.locator("main details.disclosure"))
    look(person, "night/usage")
    for name, begins in (("Statement, PDF", b"%PDF-"), ("Statement, CSV", b"\xef\xbb\xbf")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert Path(download.value.path()).read_bytes().startswith(begins)
    page.locator("details.disclosure").filter(has_text="Needs a decision").get_by_role("link", name="Decide").click()
    page.get_by_label("How much of it counts at Stripe").fill("1203")
    page.get_by_label("Reference").fill("no spaces please")
    page.get_by_role("button", name="Keep this decision").click()
    expect(page.locator("#f-settle-reference-error")).to_be_visible()
    look(person, "night/settlement-wrong")
    asked = page.url
    with spanish(clerk, company):
        opens(person.visit(usage).locator("main details.disclosure"))
        look(person, "night/usage-es", rules=False)
        person.visit(asked)
        look(person, "night/settlement-es", rules=False)
    page = person.visit(asked)
    page.get_by_label("How much of it counts at Stripe").fill("1203")
    page.get_by_label("Reference").fill("ii_1Qx2")
    page.get_by_role("button", name="Keep this decision").click()
    expect(notice(page, "Your decision is kept.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("see ii_1Qx2")
    viewer = signed_in(company.member("viewer"), viewport=PHONE, javascript=False).visit(usage)
    expect(viewer.get_by_role("link", name="Decide")).to_have_count(0)
    expect(viewer.get_by_role("link", name="Statement, PDF")).to_have_count(0)


# ── Mails ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.screens
def test_a_report_is_chosen_comes_and_is_ended_from_its_mail_without_a_script(
    new_company: Callable[[], Company], new_person: NewPerson, signed_in: SignedIn, mailbox: Mailbox, look: Look
) -> None:
    company = new_company()
    owner = signed_in(company.owner, javascript=False)
    page = owner.visit("/dashboard/account")
    page.get_by_label("Mail me a report").select_option(label="Every day")
    page.get_by_label("Tell me of new requests").select_option(label="Every hour")
    page.get_by_label("At which hour").evaluate("field => field.removeAttribute('max')")
    page.get_by_label("At which hour").fill("24")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[id$=hour-error]")).to_be_visible()
    expect(page.get_by_label("Mail me a report")).to_have_value("daily")
    look(owner, "night/account-hour-wrong")
    page.get_by_label("At which hour").fill("8")
    page.get_by_role("button", name="Save").click()
    expect(notice(page, "Saved.")).to_be_visible()
    expect(page.get_by_label("Tell me of new requests")).to_have_value("hourly")
    company.until("send-reports", datetime.now(ZONE).replace(hour=9) + timedelta(days=1))
    link = mailbox.wait(company.owner.email, about="report").link("/dashboard/unsubscribe/")
    # Whoever reads the mail need not be signed in, and looking at the link ends nothing.
    reader = new_person(javascript=False, viewport=PHONE)
    asked = reader.visit(link)
    expect(asked.get_by_role("heading", level=1)).to_have_text("Stop these mails?")
    look(reader, "public/unsubscribe")
    asked.get_by_role("button", name="Stop them").click()
    expect(asked.get_by_role("main")).to_contain_text("Reports of numbers")
    expect(asked.get_by_role("button", name="Stop them")).to_have_count(0)
    look(reader, "public/unsubscribe-done")
    page = owner.visit("/dashboard/account")
    expect(page.get_by_label("Mail me a report")).to_have_value("never")
    expect(page.get_by_label("Tell me of new requests")).to_have_value("hourly")
    # It is in the reader's own language, until they choose another.
    page = new_person(javascript=False).visit(link)
    page.get_by_role("link", name="Español").click()
    expect(page.get_by_role("main")).to_contain_text("Los informes con cifras")
    torn = new_person(locale="es-US")
    expect(torn.visit(link[:-2]).get_by_role("heading", level=1)).to_have_text("Este enlace ya no funciona")
    look(torn, "public/unsubscribe-torn-es")


def returned(company: Company, email: str) -> None:
    """What SES tells of a mail that an address has sent back for good."""
    at = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.000Z}"
    told = {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "timestamp": at,
            "feedbackId": email,
            "bouncedRecipients": [{"emailAddress": email, "action": "failed", "status": "5.1.1"}],
        },
        "mail": {"timestamp": at, "messageId": email, "destination": [email]},
    }
    queue = company.cloud.stack["queues"]["mail-feedback"]
    company.cloud.aws("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(told))


def comes(page: Page, words: str) -> None:
    """Looks again until a page says so."""
    end = time.monotonic() + 20
    while page.get_by_text(words).count() == 0 and time.monotonic() < end:
        time.sleep(0.3)
        page.reload()
    expect(page.get_by_text(words).first).to_be_visible()


@pytest.mark.screens
def test_whose_address_takes_no_mail_reads_so_and_so_do_the_owners_until_it_is_tried_again(
    new_company: Callable[[], Company], signed_in: SignedIn, clerk: Client, look: Look
) -> None:
    company = new_company()
    agent = company.member("agent")
    clerk.keep(SESSION, company.owner.session)
    invited = f"new@{company.slug}.example"
    team = clerk.get("/dashboard/team")
    clerk.submit(team, team.form("email", "role"), email=invited, name="Nadia Ferreira Castellanos", role="viewer")
    for email in (company.owner.email, agent.email, invited):
        returned(company, email)
    owner = signed_in(company.owner, javascript=False)
    page = owner.visit("/dashboard/team")
    comes(page, "The invitation came back.")
    expect(page.get_by_role("button", name="Write to them again")).to_have_count(1)
    look(owner, "night/team-without-mail")
    with spanish(clerk, company):
        owner.visit("/dashboard/team")
        look(owner, "night/team-without-mail-es", rules=False)
        owner.visit("/dashboard/account")
        look(owner, "night/account-without-mail-es", rules=False)
    page = owner.visit("/dashboard/team")
    page.get_by_role("button", name="Write to them again").click()
    expect(notice(page, "Mail goes to that address again.")).to_be_visible()
    expect(page.get_by_role("button", name="Write to them again")).to_have_count(0)
    page = owner.visit("/dashboard/account")
    look(owner, "night/account-without-mail")
    page.get_by_role("button", name="Write to me again").click()
    expect(notice(page, "Mail goes to your address again.")).to_be_visible()


# ── A business that leaves ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.screens
def test_a_closed_account_says_so_to_its_team_and_to_visitors_and_is_opened_again(
    new_company: Callable[[], Company], new_person: NewPerson, signed_in: SignedIn, clerk: Client, look: Look
) -> None:
    company = new_company()
    asked_before = new_person()
    number = filed(asked_before, company, "delete", someone())
    company.closes()
    owner = signed_in(company.owner, javascript=False)
    with spanish(clerk, company):
        owner.visit("/dashboard/overview")
        look(owner, "night/closed-overview-es", rules=False)
    for name in ("overview", "settings"):
        page = owner.visit(f"/dashboard/{name}")
        expect(page.get_by_text("This account was closed on")).to_be_visible()
        # The same banner on both.
        look(owner, f"night/closed-{name}", rules=name == "overview")
    visitor = new_person(javascript=False, viewport=PHONE)
    for language, title in (("en", "No requests are taken here any more"), ("es", "Aquí ya no se reciben solicitudes")):
        page = visitor.visit(f"/forms/{company.code}?lang={language}")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        look(visitor, f"public/closed-form-{language}", rules=language == "en")
    page = visitor.visit(f"/privacy-choices/{company.code}")
    expect(page.get_by_role("heading", level=1)).to_have_text("No requests are taken here any more")
    page.get_by_role("link", name="see how it stands").click()
    page.get_by_label("Reference number").fill(number)
    page.get_by_role("button", name="See how it stands").click()
    expect(page.get_by_role("main")).to_contain_text("To delete your information")
    page = visitor.visit(f"/privacy-notice/{company.code}?lang=es")
    expect(page.get_by_role("main").get_by_role("link", name="formulario")).to_have_count(0)
    look(visitor, "public/closed-notice-es", rules=False)
    # In the page of the shop it is as high as it is, and what it leads to opens beside it.
    guest = new_person()
    opens_doors(guest)
    page = guest.visit(shop(company))
    form = framed(page)
    expect(form.get_by_role("heading", level=1)).to_have_text("No requests are taken here any more")
    page.wait_for_function(
        "document.querySelector('[data-optline-form]').shadowRoot.querySelector('iframe').clientHeight < 500"
    )
    look(guest, "public/closed-in-a-shop")
    with guest.context.expect_page() as opened:
        form.get_by_role("link", name="see how it stands").click()
    expect(opened.value.get_by_label("Service code")).to_have_value(company.code)
    company.closes(again_open=True)
    expect(owner.visit("/dashboard/overview").get_by_text("This account was closed on")).to_have_count(0)
    expect(visitor.visit(f"/forms/{company.code}").get_by_role("heading", level=1)).to_have_text("Your privacy request")
