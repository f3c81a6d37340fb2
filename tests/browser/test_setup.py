"""What callers hear, who works here, and the proof of it all."""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.company import Account, Company
from browser.mailbox import Mailbox
from browser.people import PHONE, NewPerson, SignedIn, notice
from browser.telephone import Telephone

SIGN_IN = re.compile(r"/dashboard/sign-in")


def tone(seconds: float = 1.5) -> bytes:
    """A WAV file as a telephone plays it: 8 kHz, 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        waves = (int(9_000 * math.sin(at * 2 * math.pi * 440 / 8_000)) for at in range(int(8_000 * seconds)))
        sound.writeframes(b"".join(struct.pack("<h", it) for it in waves))
    return file.getvalue()


def row(page: Page, words: str) -> Locator:
    return page.get_by_role("main").get_by_role("row").filter(has_text=words)


def test_a_greeting_is_changed_as_text_and_heard_by_the_next_caller(
    new_company: Callable[[], Company], signed_in: SignedIn, telephone: Telephone
) -> None:
    company = new_company()
    page = signed_in(company.owner).visit("/dashboard/service-codes")
    page.get_by_role("link", name=company.code).click()
    page.get_by_role("link", name="Recording and earlier greetings in English").click()
    page.get_by_label("Greeting as text").fill("")
    page.get_by_label("Greeting as text").fill("x" * 10)
    page.get_by_label("Greeting as text").fill("Good day. This is Lakeside, and we are listening & noting.")
    page.get_by_role("button", name="Save text").click()
    expect(notice(page, "Saved. The next call hears it.")).to_be_visible()
    call = telephone.call("1", f"{company.code}#")
    assert call.heard("This is Lakeside, and we are listening & noting."), call.said
    # What was said before can be said again.
    page.get_by_role("button", name="Use this again").first.click()
    expect(notice(page, "Saved. The next call hears it.")).to_be_visible()
    assert telephone.call("1", f"{company.code}#").heard("You have reached the privacy line of Lakeside Outdoor.")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_recording_goes_through_s3s_own_form_and_is_played_to_the_next_caller(
    new_company: Callable[[], Company], signed_in: SignedIn, telephone: Telephone, javascript: bool
) -> None:
    company = new_company()
    page = signed_in(company.owner, javascript=javascript, viewport=PHONE).visit(
        f"/dashboard/greeting/{company.code}?language=es"
    )
    field = page.get_by_label("Recording", exact=True)
    field.set_input_files({"name": "hola.wav", "mimeType": "audio/wav", "buffer": b"RIFF is not enough" * 50})
    page.get_by_role("button", name="Upload and listen").click()
    expect(notice(page, "This file cannot be a greeting")).to_be_visible()
    field.set_input_files({"name": "hola.wav", "mimeType": "audio/wav", "buffer": tone()})
    page.get_by_role("button", name="Upload and listen").click()
    expect(page.get_by_role("heading", name="Your new recording")).to_be_visible()
    if javascript:
        preview = page.locator("audio").first
        assert preview.evaluate(
            """async audio => {
                if (audio.readyState < 1) {
                    const loaded = new Promise(done => audio.addEventListener("loadedmetadata", done, {once: true}));
                    audio.preload = "metadata";
                    audio.load();
                    await loaded;
                }
                return audio.duration;
            }"""
        ) == pytest.approx(1.5, abs=0.1)
    page.get_by_role("button", name="Use this greeting").click()
    expect(notice(page, "Saved. The next call hears it.")).to_be_visible()
    call = telephone.call("2", f"{company.code}#")
    assert [address for address in call.played if address.endswith(".wav")], call.said
    assert not call.heard("Se ha comunicado")


def test_a_service_code_is_created_and_reached_at_once(
    company: Company, signed_in: SignedIn, telephone: Telephone
) -> None:
    code = f"8{company.code[1:]}"
    page = signed_in().visit("/dashboard/service-codes")
    page.get_by_role("link", name="New service code").click()
    page.get_by_label("Code", exact=True).fill(company.code)
    page.get_by_label("Name", exact=True).fill("Lakeside Outlet")
    page.get_by_label("Greeting in English").fill("You have reached the outlet's privacy line.")
    page.get_by_label("Sites that may send requests").fill("https://outlet.example\nnot a site")
    page.get_by_role("button", name="Create service code").click()
    # All that is wrong at once, each beside its field.
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#f-origins-error")).to_contain_text("Line 2:")
    expect(page.get_by_label("Greeting in English")).to_have_value("You have reached the outlet's privacy line.")
    page.get_by_label("Sites that may send requests").fill("https://outlet.example")
    page.get_by_label("Greeting in Spanish").fill("Se ha comunicado con la línea de privacidad.")
    page.get_by_role("button", name="Create service code").click()
    expect(page.locator("#f-code-error")).to_have_text("This code is taken. Choose other digits.")
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Create service code").click()
    expect(notice(page, "The service code is ready")).to_be_visible()
    assert telephone.call("1", f"{code}#").heard("You have reached the outlet's privacy line.")


def test_whoever_saves_second_sees_what_the_first_saved(company: Company, signed_in: SignedIn) -> None:
    first, second = signed_in(), signed_in("manager")
    slow, quick = first.visit("/dashboard/settings"), second.visit("/dashboard/settings")
    quick.get_by_label("Recordings, in months").fill("7")
    quick.get_by_role("button", name="Save settings").click()
    expect(notice(quick, "Saved")).to_be_visible()
    slow.get_by_label("Attachments, in months").fill("5")
    slow.get_by_role("button", name="Save settings").click()
    expect(notice(slow, "Somebody else has just changed the settings")).to_be_visible()
    expect(slow.get_by_label("Attachments, in months")).to_have_value("5")
    slow.get_by_role("button", name="Save settings").click()
    expect(notice(slow, "Saved")).to_be_visible()


def test_a_setting_is_changed_without_a_script(company: Company, signed_in: SignedIn) -> None:
    page = signed_in(javascript=False, viewport=PHONE).visit("/dashboard/settings")
    page.get_by_label("Requests and answers, in months").fill("36")
    page.get_by_role("button", name="Save settings").click()
    expect(notice(page, "Saved")).to_be_visible()
    expect(page.get_by_label("Requests and answers, in months")).to_have_value("36")


def test_what_the_law_forbids_is_said_beside_its_field(company: Company, signed_in: SignedIn) -> None:
    page = signed_in().visit("/dashboard/settings")
    months = page.get_by_label("Requests and answers, in months")
    months.evaluate("field => field.removeAttribute('min')")
    months.fill("12")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(months).to_have_attribute("aria-invalid", "true")
    expect(months).to_have_value("12")
    expect(page.get_by_role("main")).to_contain_text("the law asks for at least 24")


def test_a_colleague_is_invited_and_sees_who_can_grant_what_they_may_not_do(
    new_person: NewPerson, new_company: Callable[[], Company], signed_in: SignedIn, mailbox: Mailbox
) -> None:
    company = new_company()
    page = signed_in(company.owner).visit("/dashboard/team")
    email = f"viewer@{company.slug}.example"
    form = page.locator("#invite")
    form.get_by_label("Name").fill("Victor Lindqvist")
    form.get_by_label("E-mail address").fill(company.owner.email)
    form.get_by_label("Viewer", exact=True).check()
    form.get_by_role("button", name="Send invitation").click()
    expect(page.locator("#f-invite-email-error")).to_contain_text("Use another")
    form.get_by_label("E-mail address").fill(email)
    form.get_by_role("button", name="Send invitation").click()
    expect(notice(page, "The invitation is on its way.")).to_be_visible()
    expect(row(page, "Victor Lindqvist")).to_contain_text("Invited")
    mail = mailbox.wait(email, about="invitation")
    assert "Lakeside Outdoor" in mail.text and company.owner.name in mail.text
    viewer = company.accepts(mail.link("/dashboard/invitation/"), email, "Victor Lindqvist", "viewer")
    page = signed_in(viewer).visit("/dashboard/overview")
    expect(page.get_by_role("navigation").get_by_role("link", name="Team")).to_have_count(0)
    page = signed_in(viewer).visit("/dashboard/team")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your role doesn’t include this")
    expect(page.get_by_role("main")).to_contain_text("Owner")


def test_a_new_role_counts_from_the_next_click(new_company: Callable[[], Company], signed_in: SignedIn) -> None:
    company = new_company()
    agent = company.joins("agent")
    theirs = signed_in(agent).visit("/dashboard/requests")
    page = signed_in(company.owner).visit("/dashboard/team")
    member = row(page, agent.email)
    member.get_by_label(f"Role: {agent.name}").select_option("manager")
    member.get_by_role("button", name="Change role").click()
    expect(notice(page, "The role is changed, and they are signed out everywhere.")).to_be_visible()
    theirs.reload()
    expect(theirs).to_have_url(SIGN_IN)
    member.get_by_text("Remove", exact=True).click()
    member.get_by_role("button", name="Remove from the team").click()
    expect(notice(page, "They are removed from the team")).to_be_visible()
    expect(row(page, agent.email)).to_have_count(0)


def test_the_audit_trail_tells_of_it_all_and_can_be_checked_by_anybody(
    new_company: Callable[[], Company], signed_in: SignedIn
) -> None:
    company = new_company()
    agent = company.joins("agent")
    person = signed_in(company.owner)
    page = person.visit("/dashboard/team")
    member = row(page, agent.email)
    member.get_by_label(f"Role: {agent.name}").select_option("viewer")
    member.get_by_role("button", name="Change role").click()
    expect(notice(page, "The role is changed")).to_be_visible()
    page.get_by_role("link", name="Audit").first.click()
    entry = row(page, "Changed a role")
    for words in (company.owner.name, agent.name, "from: agent", "to: viewer", "127.0.0.1"):
        expect(entry).to_contain_text(words)
    page.get_by_label("What", exact=True).select_option("role-changed")
    page.get_by_role("button", name="Apply").click()
    expect(row(page, "Accepted an invitation")).to_have_count(0)
    expect(row(page, "Changed a role")).to_have_count(1)
    page = person.visit("/dashboard/audit-export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download entries").first.click()
    lines = [json.loads(line) for line in gzip.decompress(Path(download.value.path()).read_bytes()).splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert lines[-1]["seq"] == lines[-2]["seq"] and lines[-1]["hash"] == lines[-2]["hash"]


def test_the_yearly_report_and_the_log_are_taken_out(company: Company, signed_in: SignedIn) -> None:
    page = signed_in().visit("/dashboard/report")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    table = Path(download.value.path()).read_bytes().removeprefix(b"\xef\xbb\xbf")
    assert re.fullmatch(r"privacy-requests-\d{4}-california\.csv", download.value.suggested_filename)
    assert table.replace(b'"', b"").startswith(b"year,scope,request,citation,received,")
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON").click()
    assert json.loads(Path(download.value.path()).read_bytes())["regulation"] == "11 CCR 7102"
    page.get_by_role("link", name="Request log").click()
    expect(page.get_by_text("There is nobody’s name, number or address in this log.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="All of it, CSV").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_delicate_setup_asks_once_more_who_is_there(signed_in: SignedIn, somebody: Account) -> None:
    person = signed_in(somebody)
    person.grows_old(minutes=20)
    for path in ("/dashboard/team", "/dashboard/audit-export", "/dashboard/export"):
        expect(person.visit(path)).to_have_url(re.compile(r"/dashboard/confirm\?next="))
    page = person.visit("/dashboard/team")
    page.get_by_label("Password", exact=True).fill(somebody.password)
    page.get_by_label("Code from your app").fill(somebody.app.unused())
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(re.compile("/dashboard/team$"))
