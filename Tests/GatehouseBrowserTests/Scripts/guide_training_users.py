"""The guide about *Users* of a training provider: accounts, employments, managers, duplicates, bulk edits, activity."""

import sys

from support.company import signed_in


def main(address, password):
    with signed_in(address, password) as (browser, company):
        company.look_at("academy")

        # Fields of one's own.
        browser.follow("Fields")
        browser.fill("Name", "badge-colour")
        browser.press("Save the field")
        browser.sees("badge-colour")

        # A new user: name, address, main account, main role.
        browser.follow("People")
        company.add_person(
            {"First name": "Nils", "Last name": "Berg", "Username": "nils", "E-mail": "nils@academy.example",
             "Account": "Acme", "Product academy/courses": True, "badge-colour": "green"},
            {"Role": "manager"})
        browser.sees("academy/Acme", "manager", "green")
        nils = browser.path

        # Account and contact details are changed.
        browser.follow("Edit")
        browser.fill("Phone", "+47 22 00 00 00")
        browser.press("Save")
        browser.sees("nils was changed", "+47 22 00 00 00")

        # A company: employments with their days, one of them the main account.
        browser.follow("Add an employment")
        company.choose("Account", "academy/Blue Harbour")
        browser.fill_day("First day", "2026-01-01")
        browser.fill("This is the main account", True)
        browser.press("Add the employment")
        browser.sees("nils works for")
        company.fact("Account", "academy/Blue Harbour")

        # An account group: the account is put in, and its people belong to it.
        browser.follow("Accounts and groups")
        browser.fill("Name", "West")
        browser.press("Add the account")
        browser.sees("West")
        browser.follow("Nordic")
        company.choose("Account", "academy/West")
        browser.press("Put in")
        browser.sees("West")
        browser.open(nils)
        company.fact("Groups", "Nordic")

        # Management: whom the person looks after, for mails.
        browser.press_or_follow("Add", inside="Looks after")
        browser.fill("Which", "Blue Harbour")
        browser.press("Add")
        browser.sees("nils looks after Blue Harbour now")

        # A course is assigned: a delegate record.
        browser.follow("Add a record")
        browser.fill("Kind", "delegate")
        browser.fill("Record", "first-aid")
        browser.fill("Status", "booked")
        browser.press("Add the record")
        browser.sees("first-aid is linked", "delegate")

        # Access like another's: the roles, with their scopes.
        company.open_person("finn")
        browser.follow("Match somebody else")
        browser.fill("Whose access", "bea")
        browser.press("See what would change")
        browser.sees("What would change")
        browser.fill("Reason", "takes over from Bea")
        browser.press("Give the same access")
        browser.sees("finn has the roles of bea now", "manager")

        # Bookings are restricted for one.
        browser.follow("Edit")
        browser.fill("Bookings are restricted", True)
        browser.press("Save")
        browser.sees("finn was changed")

        # Duplicates: ticked in the list, one of them is kept.
        browser.follow("People")
        company.add_person({"First name": "Nils", "Last name": "Berg", "Username": "nils2"})
        browser.open("/console/people?field=last&op=%3D&value=Berg")
        browser.tick("nils", "nils2")
        browser.press("Merge the ticked people")
        company.choose("Who stays", "nils,")
        browser.press("See what would change")
        browser.sees("would be merged")
        browser.fill("Reason", "the same person")
        browser.press("Merge them")
        browser.sees("1 was merged into nils")

        # Several to inactive, from a filtered list with the status in sight.
        browser.open("/console/people?column=username&column=status&column=account&column=last-login")
        browser.tick("lotte", "ulf")
        browser.fill("Set", "status")
        browser.fill("to", "inactive")
        browser.press("See what would change")
        browser.sees("Set status to inactive")
        browser.fill("Reason", "the courses are over")
        browser.press("Change them")
        browser.sees("2 of 2 people were changed")

        # Which statuses stop somebody is told.
        company.why("lotte", "academy/courses")
        browser.sees("lotte may not log in to academy/courses", "inactive")

        # Audit logs of one: when, who, what.
        browser.open(nils)
        browser.follow("All of it")
        browser.sees("USER.MERGE", "sam", "the same person")

        # A list with contact information to take along.
        browser.open("/console/people?column=username&column=email&column=phone")
        browser.sees("Download as CSV")

        # Super administrator, given by one of them, and taken.
        browser.open(nils)
        browser.follow("Grant a role")
        company.choose("Role", "super-administrator")
        browser.press("Grant the role")
        browser.sees("nils is super-administrator")
        browser.press_or_follow("Revoke super-administrator")
        browser.fill("Reason", "by mistake")
        browser.press("Revoke the role")
        browser.sees("nils is super-administrator no more")

        # Impersonated to book a course.
        browser.follow("Log in as")
        browser.fill("Reason", "asked on the phone for a booking")
        browser.press("Log in as nils")
        browser.sees("sam acts as nils")
        browser.follow("Add a record")
        browser.fill("Kind", "booking")
        browser.fill("Record", "welding")
        browser.fill("A detail's name", "discount")
        browser.fill("The detail", "SPRING10")
        browser.press("Add the record")
        browser.sees("welding is linked", "SPRING10")
        browser.press("End acting as nils")
        browser.sees("You act as nils no longer")

        # Data is cleared; the record stays. Deleting twice removes for good.
        browser.follow("Anonymise")
        browser.sees("What would change")
        browser.fill("Reason", "asked for it in writing")
        browser.press("Anonymise")
        browser.sees("All personal data")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
