"""Every page of the navigation, and pages of single things: in dark colours, on a phone, and at twice the size. axe finds
nothing, and nothing has to be scrolled sideways."""

import sys

from support.browser import Browser, Failure
from support.company import Company

PAGES = [
    "/console/people", "/console/people/new", "/console/search?q=ana", "/console/accounts", "/console/why",
    "/console/why?user=leo&product=payroll", "/console/why?user=nobody&product=payroll", "/console/refusals",
    "/console/timers", "/console/impersonations", "/console/products", "/console/product?name=payroll&type=guest",
    "/console/roles", "/console/roles/define", "/console/trail", "/console/approvals", "/console/workspaces",
    "/console/workspaces/main", "/console/services", "/console/workspace", "/console/people?status=deleted",
    "/console/me", "/console/contacts", "/console/contacts/new", "/console/fields", "/console/mails",
    "/console/people/import", "/console/mails/texts", "/console/mails/text?kind=invitation&language=en", "/console/webhooks",
]


def main(address, password):
    with Browser(address, width=390, height=844, scheme="dark") as browser:
        browser.open("/console")
        narrow(browser)
        Company(browser).first_sign_in(password)
        for page in PAGES:
            browser.open(page)
            narrow(browser)
        browser.open("/console/people/search-by-hand-of-nobody")
        browser.open("/console/search?q=ana")
        browser.follow("ana")
        narrow(browser)


def narrow(browser):
    wide = browser.overflowing()
    if wide:
        raise Failure(f"{browser.path} is wider than a phone: {wide}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
