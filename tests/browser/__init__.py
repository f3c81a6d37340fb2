"""The dashboard as people meet it: a real Chromium on the local cloud.

`make test` runs all of it on a cloud of its own; `make screens` takes the pictures on the one of `make up`.
A test is a sentence in a `test_*.py`; what it is told with is here:

    conftest.py    the fixtures: `cloud`, `company`, `somebody`, `new_person`, `signed_in`, `axe`, `look`, `screenshot` and more
    company.py     a business of the tests' own, and who works there
    people.py      somebody with a browser window of their own, and passkeys
    axe.py         no violation of any accessibility rule
    looks.py       a page on every size of screen, by day and by night
    billing.py     days of usage that no test can wait for
    mailbox.py     what the local cloud has sent
    telephone.py   a call, by keys and words, and what was said
    cloud.py       where everything is

One-time codes come from `local.totp.App`: one for each person, for none is taken twice.
"""
