"""What the guides say beside their main ways: a name is typed first, an invitation is left out, seats run out, a field is
mandatory, somebody is locked and gets in again, and a login is deleted twice."""

import sys

from support.browser import Failure
from support.company import signed_in


def main(address, password):
    with signed_in(address, password) as (browser, company):
        start_with_a_name(browser, company)
        locked(browser, company)
        seats_run_out(browser, company)
        deleted_twice(browser, company)
        mandatory_field(browser, company)


def start_with_a_name(browser, company):
    """Whoever is there is found by the first letters; of anybody else the name is taken over, and nobody is invited."""
    browser.follow("People")
    browser.follow("Add a person")
    browser.fill("Start with a name", "sil an")
    browser.press("Look for them")
    browser.sees("Ana Silva")
    browser.fill("Start with a name", "Olga Novikova")
    browser.press("Look for them")
    browser.sees("Nobody is called so yet")
    browser.fill("Username", "olga@acme.example")
    browser.fill("E-mail", "olga@acme.example")
    browser.fill("Status", "active")
    browser.fill("Send an invitation by mail", False)
    browser.press("Add the person")
    browser.sees("olga@acme.example was added")
    browser.sees_not("An invitation waits")
    company.fact("First name", "Olga")
    company.fact("Last name", "Novikova")
    browser.follow("Set a password")
    browser.fill("Password", "nine green lizards")
    browser.fill("The same again", "nine green lizards")
    browser.press("Set the password")
    browser.sees("olga@acme.example has another password")


def locked(browser, company):
    """A locked login is explained, and unlocked in place; the person could have asked for a mail."""
    browser.follow("Other status")
    browser.fill("Status", "locked")
    browser.press("See what would change")
    browser.fill("Reason", "too many tries")
    browser.press("Set the status")
    browser.sees("olga@acme.example is locked")
    company.why("olga@acme.example", "payroll")
    browser.sees("status-locked")
    browser.press("Unlock")
    browser.sees("The login is unlocked")


def seats_run_out(browser, company):
    """Over the number that was bought a licence is refused; without one the person is kept, and cannot log in."""
    company.open_workspace("seats", "aptien", {"desk": {"office": 1}})
    browser.follow("People")
    company.add_person(
        {"Username": "one@acme.example", "E-mail": "one@acme.example", "Product seats/desk": True},
        {"Licence of seats/desk": "office"})
    browser.follow("People")
    browser.follow("Add a person")
    browser.fill("Username", "two@acme.example")
    browser.fill("E-mail", "two@acme.example")
    browser.fill("Product seats/desk", True)
    company.choose("Licence of seats/desk", "office")
    browser.press("Add the person")
    browser.sees("No seat is left", "one@acme.example")
    company.choose("Licence of seats/desk", "None")
    browser.press("Add the person")
    browser.sees("two@acme.example was added")
    company.why("two@acme.example", "seats/desk")
    browser.sees("no-licence")


def deleted_twice(browser, company):
    """The first time marks the login as deleted, the second removes it. (The sample's own workspace asks a second person.)"""
    company.open_person("two@acme.example")
    browser.follow("Delete the login")
    browser.fill("Reason", "was never here")
    browser.press("Delete the login")
    browser.sees("The login of two@acme.example was deleted", "deleted")
    browser.follow("Purge")
    browser.sees("This cannot be taken back")
    browser.fill("Reason", "was never here")
    browser.press("Purge")
    browser.sees("The login two@acme.example was removed for good")


def mandatory_field(browser, company):
    """What everybody must have is asked for."""
    browser.follow("Fields")
    browser.fill("Name", "badge")
    browser.fill("Everybody must have a value", True)
    browser.press("Save the field")
    browser.sees("badge", "mandatory")
    browser.follow("People")
    browser.follow("Add a person")
    browser.fill("Username", "three@acme.example")
    browser.fill("E-mail", "three@acme.example")
    # The browser itself does not send the form without it.
    if not browser._field("badge").get_attribute("required"):
        raise Failure("the mandatory field may be left out")
    browser.fill("badge", "green")
    browser.press("Add the person")
    browser.sees("three@acme.example was added", "green")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
