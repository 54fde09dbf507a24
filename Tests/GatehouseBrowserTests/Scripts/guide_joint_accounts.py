"""The guide *User Accounts*: two products share one set of accounts, each with a status and permissions of its own."""

import sys

from support.company import signed_in


def main(address, password, **options):
    with signed_in(address, password, **options) as (browser, company):
        company.open_workspace("joint", "actitime", {"payroll": {"office": 5}, "planner": {}})

        # An account that is made for one product is there in the other, disabled.
        browser.follow("People")
        company.add_person(
            {"First name": "Vera", "Last name": "Novak", "Username": "vera.novak",
             "E-mail": "vera.novak@acme.example", "Product joint/payroll": True},
            {"Licence of joint/payroll": "office"})
        browser.sees("joint/payroll", "joint/planner")
        company.row("joint/planner", "out")

        # The other product is enabled for her, and seats count there from then on.
        company.in_row("joint/planner", "Let in")
        browser.press("Let in")
        browser.sees("vera.novak may use joint/planner")
        company.row("joint/planner", "enabled")

        # Who has access to which product can be seen in the list.
        browser.open("/console/people?field=username&op=%3D&value=vera.novak&column=username&column=name&column=product")
        browser.sees("vera.novak", "joint/payroll", "joint/planner")
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
        company.in_row("joint/payroll", "Change")
        browser.fill("As", "Its administrator")
        browser.press("Let in")
        browser.sees("vera may use joint/payroll")
        company.row("joint/payroll", "administrator")
        company.row("joint/planner", "enabled")

        # One access is taken; the account stays.
        company.in_row("joint/planner", "Keep out")
        browser.fill("Reason", "works on payroll alone")
        browser.press("Keep out")
        browser.sees("vera is kept out of joint/planner")
        company.row("joint/planner", "out")
        company.row("joint/payroll", "administrator")

        # An account with recorded time is not deleted: its access is disabled instead.
        browser.follow("Add time")
        browser.fill_day("Start", "2026-11-20T09:00:00")
        browser.fill_day("End", "2026-11-20T17:00:00")
        browser.press("Add the time")
        browser.sees("8 h")
        browser.sees("keep-tracked", "“Keep out” on the person's page")

        # One without is deleted for both products.
        browser.follow("People")
        company.add_person({"Username": "temp", "E-mail": "temp@acme.example", "Product joint/planner": True})
        browser.follow("Delete the login")
        browser.sees("What would change", "Go ahead?", "It can be taken back until")
        browser.fill("Reason", "came by mistake")
        browser.press("Delete the login")
        browser.sees("The login of temp was deleted", "deleted")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
