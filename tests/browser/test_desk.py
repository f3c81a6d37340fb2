"""Requests, from the moment they arrive until they are answered."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Any

from local.owners import Client
from playwright.sync_api import Locator, Page, expect

from browser.company import Company
from browser.people import PHONE, SESSION, Person, SignedIn, notice
from browser.telephone import Call, Telephone

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
MARKUP = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title='taken'\"> & \"so on\""


def enter(clerk: Client, company: Company, **typed: str) -> str:
    """A request by letter, entered by hand: its reference, twelve digits."""
    page = clerk.get("/dashboard/new-request")
    letter = {"kind": "delete", "channel": "mail", "code": company.code, "name": "Jordan Ellis", "language": "en"}
    page = clerk.submit(page, page.form("received", "id"), **(letter | typed))
    found = re.search(r"/dashboard/request/(\d{12})", page.url)
    assert found, f"{page.url} answered {page.status}."
    return found[1]


def delete_by_telephone(telephone: Telephone, company: Company, caller: str = "+12135550142") -> Call:
    return telephone.call("1", f"{company.code}#", "2", "1", "speak my name is Jordan Ellis", "1", "1", caller=caller)


def spoken(reference: str) -> str:
    """A reference as pages show it: in groups of four."""
    return " ".join(reference[at : at + 4] for at in (0, 4, 8))


def open_request(person: Person, reference: str) -> Page:
    page = person.visit(f"/dashboard/request/{reference}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(spoken(reference))
    return page


def action(page: Page, name: str) -> Locator:
    return page.locator("details.action").filter(has=page.locator("summary").get_by_text(name, exact=True))


def acts(page: Page, name: str, **typed: str) -> None:
    """Open an action, fill its fields in by their names, and do it."""
    form = action(page, name)
    # Some have more to unfold inside.
    form.locator("summary").first.click()
    for field, text in typed.items():
        form.locator(f"[name={field}]").fill(text)
    form.get_by_role("button", name=name).click()


def number() -> str:
    """A telephone number that nobody else here has: 555-01xx is fiction in every area."""
    area = secrets.choice(["209", "213", "310", "323", "408", "415", "510", "530", "559", "562", "619", "626", "650"])
    return f"+1{area}55501{secrets.randbelow(100):02}"


def test_a_call_is_worked_from_its_arrival_to_its_completion(
    telephone: Telephone, company: Company, signed_in: SignedIn
) -> None:
    call = delete_by_telephone(telephone, company)
    assert call.reference
    person = signed_in()
    page = person.visit("/dashboard/requests")
    page.get_by_role("link", name=spoken(call.reference)).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(spoken(call.reference))
    expect(page.locator("#dates")).to_contain_text("45 calendar days, 11 CCR 7021(b)")
    expect(page.locator("#dates")).to_contain_text("orally, on the call")
    expect(page.get_by_role("link", name="+12135550142")).to_be_visible()
    acts(page, "Ask for verification", asked="Her account number, by e-mail.")
    expect(notice(page, "Verification begun.")).to_be_visible()
    acts(page, "Complete", identity="She knew her account number.", done="Her account and orders are deleted.")
    expect(notice(page, "Completed.")).to_be_visible()
    expect(page.locator(".badge").get_by_text("Completed")).to_be_visible()
    history = page.locator("#history")
    for moment in ("Her account and orders are deleted.", "Her account number, by e-mail.", company.owner.name):
        expect(history.get_by_text(moment).first).to_be_visible()
    page.get_by_role("link", name="Requests").first.click()
    expect(page.get_by_role("link", name=spoken(call.reference))).to_have_count(0)
    page.get_by_role("link", name="Closed", exact=True).click()
    expect(page.get_by_role("link", name=spoken(call.reference))).to_be_visible()


def test_a_letter_is_entered_by_hand_and_its_receipt_confirmed(company: Company, signed_in: SignedIn) -> None:
    page = signed_in().visit("/dashboard/requests")
    page.get_by_role("link", name="New request").first.click()
    page.get_by_label("Delete", exact=True).check()
    page.get_by_label("Letter").check()
    page.get_by_label("Name").fill("Jordan Ellis")
    page.get_by_label("Telephone").fill("12")
    page.get_by_label("In their words").fill("Delete everything that you know of me.\nThank you.")
    page.get_by_role("button", name="Enter request").click()
    # What is wrong is said beside its field; nothing that was typed is lost.
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#f-phone-error")).to_have_text("Enter a telephone number with its area code.")
    expect(page.get_by_label("In their words")).to_have_value("Delete everything that you know of me.\nThank you.")
    expect(page.get_by_label("Delete", exact=True)).to_be_checked()
    page.get_by_label("Telephone").fill("(213) 555-0177")
    page.get_by_role("button", name="Enter request").click()
    expect(notice(page, "Request entered.")).to_be_visible()
    expect(page.get_by_role("link", name="+12135550177")).to_be_visible()
    expect(page.locator("#dates")).to_contain_text("10 business days")
    acts(page, "Confirm receipt", told="By letter of today.")
    expect(notice(page, "Confirmation noted.")).to_be_visible()
    expect(page.locator("#dates")).to_contain_text("by the team")
    expect(action(page, "Confirm receipt")).to_have_count(0)


def test_a_message_is_filed_as_what_it_asks(telephone: Telephone, company: Company, signed_in: SignedIn) -> None:
    call = telephone.call(
        "1", f"{company.code}#", "7", "1", "speak please delete my data and tell me what you had", "1", "1"
    )
    assert call.reference
    page = open_request(signed_in(), call.reference)
    form = action(page, "Say what it asks")
    form.locator("summary").click()
    form.get_by_label("Delete", exact=True).check()
    form.get_by_label("Know: categories", exact=True).check()
    form.locator("[name=why]").fill("He asks for both.")
    form.get_by_role("button", name="Say what it asks").click()
    expect(notice(page, "Filed.")).to_be_visible()
    expect(page.locator(".kind").get_by_text("Delete").first).to_be_visible()
    # The further request has the same day of receipt, and each leads to the other.
    page.get_by_text("Also asked for, in").locator("xpath=..").get_by_role("link").click()
    expect(page.locator(".kind").get_by_text("Know: categories").first).to_be_visible()
    expect(page.get_by_role("link", name=spoken(call.reference))).to_be_visible()


def test_an_extension_is_taken_once_and_says_its_new_date(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    page = open_request(signed_in(), enter(clerk, company))
    before = page.locator("#dates").inner_text()
    acts(page, "Extend", reason="The archive takes longer to search.")
    expect(notice(page, "Extended.")).to_be_visible()
    assert page.locator("#dates").inner_text() != before
    expect(page.locator("#dates")).to_contain_text(re.compile("Answer by *(90|89) days left"))
    expect(page.locator("#history")).to_contain_text("The archive takes longer to search.")
    expect(action(page, "Extend")).to_have_count(0)


def test_a_denial_without_a_ground_comes_back_with_its_words(
    clerk: Client, company: Company, signed_in: SignedIn
) -> None:
    page = open_request(signed_in(), enter(clerk, company))
    words = "We could not find out that it is you.\nPlease write from the address that we know."
    acts(page, "Deny", explanation=words)
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#f-deny-ground-error")).to_be_visible()
    expect(page.locator("[name=explanation]")).to_have_value(words)
    page.get_by_role("alert").get_by_role("link").first.click()
    expect(page.locator("[name=ground]").first).to_be_focused()
    page.locator("[name=ground][value=not-verified]").check()
    page.locator("[name=offered]").fill("To opt out of the sale of the data instead.")
    page.get_by_role("button", name="Deny").click()
    expect(notice(page, "Denied.")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("We could not find out that it is you.")


def test_whoever_is_second_is_told_what_the_first_did(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    reference = enter(clerk, company)
    first, second = signed_in("agent"), signed_in("owner")
    slow = open_request(second, reference)
    quick = open_request(first, reference)
    acts(quick, "Ask for verification", asked="A copy of the last letter.")
    expect(notice(quick, "Verification begun.")).to_be_visible()
    acts(slow, "Deny", explanation="It was too long ago.")
    agent = company.member("agent").name
    expect(notice(slow, f"{agent} was faster")).to_be_visible()
    expect(slow.get_by_role("main")).to_contain_text("A copy of the last letter.")
    expect(slow.locator("[name=explanation]")).to_have_value("It was too long ago.")
    # Nothing of it is saved before they have seen it; then it is.
    slow.locator("[name=ground][value=not-verified]").check()
    slow.locator("[name=offered]").fill("To opt out instead.")
    slow.get_by_role("button", name="Deny").click()
    expect(notice(slow, "Denied.")).to_be_visible()
    quick.reload()
    expect(quick.locator(".badge").get_by_text("Denied")).to_be_visible()


def test_a_note_with_markup_is_shown_as_it_was_typed(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    page = open_request(signed_in(), enter(clerk, company, name=MARKUP, details=MARKUP))
    page.get_by_label("Note", exact=True).fill(MARKUP)
    page.get_by_role("button", name="Add note").click()
    expect(notice(page, "Note added.")).to_be_visible()
    expect(page.get_by_text(MARKUP)).to_have_count(3)
    assert page.title() != "taken" and page.locator("main script, main img").count() == 0


def test_a_file_comes_back_as_it_was_sent(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    page = open_request(signed_in(), enter(clerk, company))
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "page.pdf", "mimeType": "application/pdf", "buffer": b"MZ\x90\x00\x03\x00\x00\x00" * 20}
    )
    page.get_by_role("button", name="Add file").click()
    # By its content, not by its name.
    expect(page.locator("#f-file-file-error")).to_contain_text("This is not a PDF")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "Carta de María <1>.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="Add file").click()
    expect(notice(page, "File added.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Carta de María <1>.pdf").click()
    assert Path(download.value.path()).read_bytes() == PDF
    assert "María" in download.value.suggested_filename


def test_what_was_said_is_played_and_can_be_sought_through(
    telephone: Telephone, company: Company, signed_in: SignedIn
) -> None:
    call = delete_by_telephone(telephone, company)
    assert call.reference
    person = signed_in()
    statuses: list[int] = []

    def heard(answer: Any) -> None:
        if "/dashboard/recording/" in answer.url:
            statuses.append(answer.status)

    person.context.on("response", heard)
    page = open_request(person, call.reference)
    # It is fetched from the telephone company, and written down there, after the call.
    end = time.monotonic() + 20
    while page.locator("#spoken blockquote").count() == 0 and time.monotonic() < end:
        time.sleep(0.5)
        page.reload()
    expect(page.locator("#spoken blockquote")).to_contain_text("Jordan Ellis")
    played = page.locator("audio").first.evaluate(
        """async audio => {
            const until = name => new Promise((done, failed) => {
                audio.addEventListener(name, done, {once: true});
                audio.addEventListener("error", () => failed(audio.error.message), {once: true});
            });
            if (audio.readyState < 1) {
                const loaded = until("loadedmetadata");
                audio.preload = "metadata";
                audio.load();
                await loaded;
            }
            const sought = until("seeked");
            audio.currentTime = audio.duration * 0.75;
            await sought;
            const at = audio.currentTime;
            audio.muted = true;
            await audio.play();
            await until("timeupdate");
            while (audio.currentTime === at && !audio.ended) await until("timeupdate");
            audio.pause();
            return {duration: audio.duration, at, heard: audio.currentTime - at};
        }"""
    )
    assert played["duration"] > 0.5 and played["at"] > played["duration"] / 2 and played["heard"] > 0
    part = page.evaluate(
        """async () => {
            const {currentSrc} = document.querySelector("audio");
            const answer = await fetch(currentSrc, {headers: {range: "bytes=2-5"}});
            return [answer.status, answer.headers.get("content-range"), (await answer.arrayBuffer()).byteLength];
        }"""
    )
    assert part[0] == 206 and part[1].startswith("bytes 2-5/") and part[2] == 4
    assert statuses and set(statuses) <= {200, 206} and 206 in statuses


def test_a_decision_for_many_has_a_result_for_each(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    references = [enter(clerk, company, name=f"Person {n}") for n in range(3)]
    page = signed_in().visit("/dashboard/requests")
    for reference in references:
        page.get_by_role("checkbox", name=f"Choose {spoken(reference)}").check()
    page.get_by_label("What to do").select_option("acknowledge")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 requests")
    # Meanwhile a colleague takes one of them.
    request = clerk.get(f"/dashboard/request/{references[1]}")
    clerk.submit(request, next(it for it in request.forms if it.fields.get("action") == "assign"))
    page.get_by_label("How you told the person").fill("By letters of today.")
    page.get_by_role("button", name="Confirm receipt").click()
    expect(notice(page, "2 of 3 done")).to_be_visible()
    for reference, result in zip(references, ("Done", "Left as it was", "Done"), strict=True):
        expect(page.get_by_role("row").filter(has_text=spoken(reference))).to_contain_text(result)
    expect(page.get_by_text("A colleague changed it meanwhile.")).to_be_visible()


def test_a_table_and_a_document_are_taken_out(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    formula = "=cmd|' /C calc'!A0"
    reference = enter(clerk, company, name=formula)
    page = signed_in().visit("/dashboard/requests")
    page.get_by_role("link", name="Export").click()
    page.get_by_label("With names, telephone numbers").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    table = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename.endswith(".csv")
    assert table.removeprefix(b"\xef\xbb\xbf").startswith((b"Reference,", b'"Reference",'))
    row = next(row for row in table.decode().splitlines() if reference in row.replace(" ", ""))
    assert formula in row and not re.search(r'(^|,)"?=cmd', row)
    page = open_request(signed_in(), reference)
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF record").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    assert download.value.suggested_filename == f"request-{reference}.pdf"


def test_a_person_is_found_by_telephone_and_no_address_tells_of_it(
    clerk: Client, company: Company, signed_in: SignedIn
) -> None:
    phone = number()
    reference = enter(clerk, company, phone=phone)
    person = signed_in()
    addresses: list[str] = []
    person.context.on("request", lambda request: addresses.append(request.url))
    page = person.visit("/dashboard/requests")
    search = page.get_by_label("Reference, telephone number or e-mail")
    search.fill(f"({phone[2:5]}) {phone[5:8]}-{phone[8:]}")
    search.press("Enter")
    page.get_by_role("link", name=spoken(reference)).click()
    expect(page.get_by_role("link", name=phone)).to_be_visible()
    assert len(addresses) >= 3
    assert not [address for address in addresses if phone[5:] in re.sub(r"\D", "", address)]


def test_a_reference_leads_to_its_request_and_an_unknown_one_to_advice(
    clerk: Client, company: Company, signed_in: SignedIn
) -> None:
    reference = enter(clerk, company)
    page = signed_in().visit("/dashboard/requests")
    search = page.get_by_label("Reference, telephone number or e-mail")
    search.fill(spoken(reference))
    search.press("Enter")
    expect(page).to_have_url(re.compile(f"/dashboard/request/{reference}$"))
    page.go_back()
    search.fill("nobody-we-know@consumer.example")
    search.press("Enter")
    expect(page.get_by_text("No request fits")).to_be_visible()
    search.fill("not a number")
    search.press("Enter")
    expect(page.get_by_text("Enter a 12-digit reference").first).to_be_visible()
    expect(search).to_have_value("not a number")


def test_filters_apply_at_once_and_stand_in_the_address(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    correct, delete = enter(clerk, company, kind="correct"), enter(clerk, company, kind="delete")
    page = signed_in().visit("/dashboard/requests")
    kind = page.get_by_label("Kind")
    kind.hover()
    page.mouse.down()
    page.mouse.up()
    kind.select_option("correct")
    page.wait_for_url(re.compile("kind=correct"))
    expect(page.get_by_role("link", name=spoken(correct))).to_be_visible()
    expect(page.get_by_role("link", name=spoken(delete))).to_have_count(0)
    page.get_by_role("link", name="Clear filters").click()
    expect(page.get_by_role("link", name=spoken(delete))).to_be_visible()


def test_a_request_is_assigned_and_then_somebodys(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    reference = enter(clerk, company)
    page = open_request(signed_in("owner"), reference)
    form = action(page, "Assign")
    form.locator("summary").click()
    form.get_by_label("Who works on it").select_option(label=company.member("agent").name)
    form.get_by_role("button", name="Assign").click()
    expect(notice(page, "Assigned.")).to_be_visible()
    mine = signed_in("agent").visit("/dashboard/requests")
    mine.get_by_role("link", name="Mine", exact=True).click()
    expect(mine.get_by_role("row").filter(has_text=spoken(reference))).to_contain_text("You")


def test_a_viewer_reads_and_changes_nothing(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    reference = enter(clerk, company)
    viewer = signed_in("viewer")
    page = viewer.visit("/dashboard/requests")
    expect(page.get_by_role("link", name="New request")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="Choose")).to_have_count(0)
    page = open_request(viewer, reference)
    expect(page.get_by_text("Your role reads requests and changes nothing.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Add|Deny|Complete"))).to_have_count(0)


def test_the_overview_counts_what_is_open_and_every_chart_has_its_table(
    clerk: Client, company: Company, signed_in: SignedIn
) -> None:
    enter(clerk, company)
    page = signed_in().visit("/dashboard/overview")
    # Counts follow the requests by a stream.
    open_tile = page.locator(".tile").filter(has_text=re.compile("^Open"))
    for _ in range(20):
        if re.search(r"[1-9]", open_tile.inner_text()):
            break
        time.sleep(0.5)
        page.reload()
    expect(open_tile).to_contain_text(re.compile("[1-9]"))
    charts = page.locator("figure.chart")
    expect(charts).to_have_count(2)
    for chart in charts.all():
        chart.locator("summary").click()
        expect(chart.get_by_role("table")).to_be_visible()


def test_a_request_is_worked_without_a_script(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    reference = enter(clerk, company, kind="opt-out")
    person = signed_in(javascript=False, viewport=PHONE)
    page = person.visit("/dashboard/requests")
    page.get_by_role("link", name=spoken(reference)).click()
    expect(page.get_by_text("Do not verify who asks")).to_be_visible()
    expect(action(page, "Ask for verification")).to_have_count(0)
    page.get_by_label("Note", exact=True).fill("Taken off the list by hand.")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("Taken off the list by hand.")).to_be_visible()
    acts(page, "Complete", done="Nothing of it is sold any more.")
    expect(notice(page, "Completed.")).to_be_visible()
    # Filters have their own button.
    person.visit("/dashboard/requests")
    page.get_by_label("State").select_option("closed")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("link", name=spoken(reference))).to_be_visible()


def test_the_inbox_needs_no_mouse(clerk: Client, company: Company, signed_in: SignedIn) -> None:
    reference = enter(clerk, company)
    page = signed_in().visit("/dashboard/requests")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the page")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    visited: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
                const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
                const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                const name = it.getAttribute("aria-label") || it.labels?.[0]?.textContent || it.textContent;
                const seen = box.bottom > 0 && box.top < innerHeight;
                return {name: name.trim(), ring, seen, in: !!it.closest("main")};
            }"""
        )
        if not seen["in"]:
            break
        assert seen["ring"] and seen["seen"], f"{seen['name']} has the focus and does not show it."
        visited.append(seen["name"])
        if seen["name"] == f"Choose {spoken(reference)}":
            break
    else:
        raise AssertionError(f"The request is not reached: {visited}")
    # As on the screen: search, views, filters, then requests.
    order = [visited.index(name) for name in ("Find", "Open", "Apply", f"Choose {spoken(reference)}")]
    assert order == sorted(order), visited
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name=f"Choose {spoken(reference)}")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(spoken(reference))


def test_the_desk_speaks_spanish(clerk: Client, company: Company, signed_in: SignedIn, new_company: Any) -> None:
    spanish = new_company()
    client = clerk
    client.keep(SESSION, spanish.owner.session)
    page = client.get("/dashboard/account")
    client.submit(page, page.form("language", "reports"), language="es")
    reference = enter(client, spanish, language="es")
    page = signed_in(spanish.owner).visit("/dashboard/requests")
    expect(page.get_by_role("heading", level=1)).to_have_text("Solicitudes")
    page.get_by_role("link", name=spoken(reference)).click()
    form = page.locator("details.action").filter(has=page.locator("summary").get_by_text("Denegar", exact=True))
    form.locator("summary").click()
    form.get_by_role("button", name="Denegar").click()
    expect(page.locator("#f-deny-ground-error")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
