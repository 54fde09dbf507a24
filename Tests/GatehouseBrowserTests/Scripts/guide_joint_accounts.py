"""The guide *User Accounts*: two products share one set of accounts, each with a status and permissions of its own."""

import sys

from support.browser import Browser
from support.company import Company


def main(address, password):
    with Browser(address) as browser:
        company = Company(browser)
        company.first_sign_in(password)
        company.take_profile("main", "actitime")

        # An account that is made for one product is there in the other, disabled.
        browser.follow("People")
        browser.follow("Add a person")
        browser.fill("First name", "Vera")
        browser.fill("Last name", "Novak")
        browser.fill("Username", "vera.novak")
        browser.fill("E-mail", "vera.novak@acme.example")
        browser.fill("Product payroll", True)
        company.choose("Licence of payroll", "office")
        browser.press("Add the person")
        browser.sees("vera.novak was added", "payroll", "planner")
        company.row("planner", "out")

        # The other product is enabled for her, and seats count there from then on.
        browser.press_or_follow("Let in", inside="planner")
        browser.press("Let in")
        browser.sees("vera.novak may use planner")
        company.row("planner", "enabled")

        # Who has access to which product can be seen in the list.
        browser.open("/console/people?field=username&op=%3D&value=vera.novak&column=username&column=name&column=product")
        browser.sees("vera.novak", "payroll, planner")
        browser.follow("vera.novak")

        # What the products share: name, department, time zone, hire and release dates, schedule, leave, username.
        browser.follow("Edit")
        browser.fill("First name", "Věra")
        browser.fill("Department", "Design")
        browser.fill("Time zone", "Europe/Prague")
        browser.fill("Schedule", "9 to 5")
        browser.fill("Leave", "25 days")
        browser.fill_day("Hired", "2026-01-05")
        browser.fill_day("Released", "2030-12-31")
        browser.press("Save")
        browser.sees("vera.novak was changed", "Věra", "Design", "Europe/Prague", "9 to 5", "25 days", "2026-01-05")
        browser.follow("Rename")
        browser.fill("New username", "vera")
        browser.press("Rename")
        browser.sees("vera.novak is vera now")

        # Permissions are each product's own: its administrator here, one of its people there.
        browser.press_or_follow("Change", inside="payroll")
        browser.fill("As", "Its administrator")
        browser.press("Let in")
        browser.sees("vera may use payroll")
        company.row("payroll", "administrator")
        company.row("planner", "enabled")

        # One access is taken; the account stays.
        browser.press_or_follow("Keep out", inside="planner")
        browser.fill("Reason", "works on payroll alone")
        browser.press("Keep out")
        browser.sees("vera is kept out of planner")
        company.row("planner", "out")
        company.row("payroll", "administrator")

        # Deleting a joint account deletes it for both.
        browser.follow("Delete the login")
        browser.sees("What would change", "Go ahead?")
        browser.fill("Reason", "has left")
        browser.press("Delete the login")
        browser.sees("The login of vera was deleted", "deleted")

        # Whose time is recorded is not deleted: access is disabled instead.
        company.open_person("ana")
        browser.sees("delete.keep-tracked")
        browser.press_or_follow("Keep out", inside="payroll")
        browser.sees("What would change")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
