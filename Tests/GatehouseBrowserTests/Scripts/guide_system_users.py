"""The guide *Adding and Removing System Users*: logins on contacts, with an authority, a reason and an accepted bill."""

import sys

from support.company import signed_in


def main(address, password, **options):
    with signed_in(address, password, **options) as (browser, company):
        company.open_workspace("firm", "actionstep", {"matters": {}})

        # The contact record comes first, where there is none.
        browser.follow("Contacts")
        browser.follow("Add a contact")
        browser.fill("First name", "Ruth")
        browser.fill("Last name", "Ode")
        browser.fill("E-mail", "ruth@acme.example")
        browser.press("Add the contact")
        browser.sees("The contact is there", "None yet.")

        # Who adds users needs the authority to alter the subscription: the box on the card.
        company.open_person("sam")
        browser.follow("Edit")
        browser.fill("May add and remove users", True)
        browser.press("Save")
        browser.sees("sam was changed", "May add and remove users")

        # The contact is chosen, and gets the login.
        browser.follow("Contacts")
        browser.fill("Name, e-mail or username", "ruth")
        browser.press("Find")
        browser.follow("Ruth Ode")
        browser.follow("Give a login")
        browser.sees("Give Ruth Ode a login")
        browser.fill("Username", "ruth@acme.example")
        browser.fill("Initials", "RO")
        browser.fill("Division", "Litigation")
        company.choose("Role", "individual")
        browser.press("Add the person")
        # Without the accepted bill it is refused, and the page says what to tick.
        browser.sees("user.needs-billing-acceptance", "add “I accept that this may change the bill”")
        browser.sees_not("ACCEPT-BILLING")
        browser.fill("I accept that this may change the bill", True)
        browser.press("Add the person")
        # What the guide requires is asked for, field by field.
        browser.sees("user.required-fields")
        browser.marked("Reference")
        browser.fill("Reference", "ruth-1")
        browser.press("Add the person")
        browser.sees("ruth@acme.example was added", "An invitation waits to be sent")
        ruth = browser.path
        browser.follow("Mails")
        browser.sees("invitation", "ruth@acme.example")

        # Removing: a reason, the accepted bill; the contact and what hangs on it stay.
        browser.open(ruth)
        browser.follow("Delete the login")
        browser.fill("Reason", "left the firm")
        browser.press("Delete the login")
        browser.sees("I accept that this may change the bill")
        browser.fill("I accept that this may change the bill", True)
        browser.fill("Reason", "left the firm")
        browser.press("Delete the login")
        browser.sees("The login of ruth@acme.example was deleted")
        browser.follow("Contacts")
        browser.fill("Name, e-mail or username", "ruth")
        browser.press("Find")
        browser.sees("Ruth Ode")

        # Restored: another login on the same contact, here under another address.
        browser.follow("Ruth Ode")
        browser.fill("E-mail", "ruth.ode@acme.example")
        browser.press("Save")
        browser.sees("The contact is changed")
        browser.follow("Give a login")
        browser.fill("Username", "ruth.ode@acme.example")
        browser.fill("Initials", "RO")
        browser.fill("Reference", "ruth-2")
        browser.fill("Division", "Litigation")
        company.choose("Role", "individual")
        browser.fill("I accept that this may change the bill", True)
        browser.press("Add the person")
        browser.sees("ruth.ode@acme.example was added", "Ruth Ode")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
