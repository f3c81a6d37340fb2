"""That what the other tests are told with tells the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from local import totp
from playwright.sync_api import Error, Page

from browser.cloud import Cloud
from browser.mailbox import Mailbox
from browser.people import NewPerson, Person
from browser.telephone import Telephone

GOOD = """<!doctype html><html lang="en"><head><title>A page</title></head>
<body><main><h1>A page</h1><p>It says something.</p></main></body></html>"""
BAD = """<!doctype html><html lang="en"><head><title>A page</title></head>
<body><main><h1>A form</h1><form><input name="email"></form><noscript><img src="/x.png"></noscript></main></body></html>"""

MAKE_A_PASSKEY = """async host => (await navigator.credentials.create({publicKey: {
    challenge: new Uint8Array(32), rp: {id: host, name: "Optline"},
    user: {id: new Uint8Array([1]), name: "kim", displayName: "Kim"},
    pubKeyCredParams: [{type: "public-key", alg: -7}, {type: "public-key", alg: -257}],
    authenticatorSelection: {residentKey: "required", userVerification: "required"},
}})).type"""


def shown(person: Person, document: str) -> Page:
    """A page that no function answers, as if the service had."""
    address = f"{person.cloud.base_url}/a-page-of-the-test"
    person.page.route(address, lambda route: route.fulfill(body=document, content_type="text/html"))
    person.page.goto(address)
    return person.page


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
)
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert totp.code("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", at) == code


def test_no_code_is_given_out_twice() -> None:
    app = totp.App("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    given, now = [app.unused(), app.unused(), app.unused()], time.time()
    around = [totp.code(app.secret, now + step * totp.STEP_SECONDS) for step in (-2, -1, 0, 1)]
    assert len(set(given)) == 3 and set(given) <= set(around)


def test_a_page_of_the_local_cloud_is_a_secure_context_and_keeps_host_cookies(new_person: NewPerson) -> None:
    person = new_person()
    address = f"{person.cloud.base_url}/a-page-of-the-test"
    cookie = "__Host-session=opaque; Secure; HttpOnly; Path=/; SameSite=Lax"
    person.page.route(
        address, lambda route: route.fulfill(body=GOOD, headers={"content-type": "text/html", "set-cookie": cookie})
    )
    person.page.goto(address)
    assert person.page.evaluate("isSecureContext")
    assert person.cookies()["__Host-session"]["secure"]


def test_a_passkey_can_be_made_for_the_local_clouds_host(new_person: NewPerson) -> None:
    person = new_person()
    page = shown(person, GOOD)
    passkeys = person.passkeys()
    host = page.evaluate("location.hostname")
    assert page.evaluate(MAKE_A_PASSKEY, host) == "public-key"
    assert [passkey["rpId"] for passkey in passkeys.all()] == [host]
    passkeys.recognises(False)
    with pytest.raises(Error, match="NotAllowedError"):
        page.evaluate(MAKE_A_PASSKEY, host)


@pytest.mark.parametrize("javascript", [True, False])
def test_axe_finds_what_is_wrong_and_nothing_else(
    new_person: NewPerson, axe: Callable[[Person], None], javascript: bool
) -> None:
    person = new_person(javascript=javascript)
    shown(person, GOOD)
    axe(person)
    shown(person, BAD)
    with pytest.raises(AssertionError, match="label") as found:
        axe(person)
    # What only those without scripts are shown is looked at for them.
    assert ("image-alt" in str(found.value)) is not javascript


@pytest.mark.parametrize("address", ["http://example.com/", "http://192.0.2.1/"])
def test_nothing_but_this_machine_can_be_reached(new_person: NewPerson, address: str) -> None:
    person = new_person()
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        person.page.goto(address)
    assert len(person.mishaps) == 1
    person.mishaps.clear()


def test_a_breach_of_a_pages_own_policy_is_noticed(new_person: NewPerson) -> None:
    person = new_person()
    address = f"{person.cloud.base_url}/a-page-of-the-test"
    headers = {"content-type": "text/html", "content-security-policy": "default-src 'self'"}
    person.page.route(address, lambda route: route.fulfill(body=GOOD + "<style>p{color:red}</style>", headers=headers))
    person.page.goto(address)
    assert any("Content Security Policy" in mishap for mishap in person.mishaps)
    person.mishaps.clear()


def test_a_picture_is_kept(new_person: NewPerson, screenshot: Callable[[Page, str], Path], tmp_path: Path) -> None:
    place = screenshot(shown(new_person(), GOOD), str(tmp_path / "a-page"))
    assert place.read_bytes().startswith(b"\x89PNG")


def test_a_call_is_heard_and_its_request_found(telephone: Telephone) -> None:
    call = telephone.call("1", "1#", "1", "1", "1")
    assert call.heard("privacy line of Blue Harbor Outfitters")
    assert call.request is not None and call.request["kind"]["S"] == "opt-out"
    assert call.reference


def test_mail_is_read_by_who_it_was_sent_to(cloud: Cloud, mailbox: Mailbox) -> None:
    ses, before = cloud.aws("sesv2"), time.time()
    ses.create_email_identity(EmailIdentity="tools.example")
    ses.send_email(
        FromEmailAddress="Tools <hello@tools.example>",
        Destination={"ToAddresses": ["kim@consumer.example"]},
        Content={
            "Simple": {
                "Subject": {"Data": "An invitation"},
                "Body": {
                    "Text": {"Data": "Open http://one.example/a?b=1&c=2."},
                    "Html": {"Data": '<a href="http://one.example/a?b=1&amp;c=2">Open</a>'},
                },
            }
        },
    )
    mail = mailbox.wait("kim@consumer.example", since=before, about="invitation")
    assert mail.links == ["http://one.example/a?b=1&c=2"]
    assert mailbox.to("somebody-else@consumer.example", since=before) == []
