"""The guide *How to manage user accounts*: usernames, licences, roles, passwords, one user and several."""

import sys

from support.company import signed_in

FILE = """username,first,last,email,products,licences
iva.k,Iva,Kral,iva@acme.example,payroll,office
ota.k,Ota,Kral,{email},payroll,intranet
"""


def main(address, password):
    with signed_in(address, password) as (browser, company):
        # How to add one user.
        browser.follow("People")
        company.add_person(
            {"First name": "Petr", "Last name": "Kral", "Username": "petr@acme.example",
             "E-mail": "petr@acme.example", "Product payroll": True, "Words of your own in it": "Welcome, Petr."},
            {"Licence of payroll": "office", "Role": "individual"})
        browser.sees("An invitation waits to be sent", "office", "individual")
        petr = browser.path

        # How to change a username: the e-mail follows, and the person is told.
        browser.follow("Rename")
        browser.fill("New username", "not an address with spaces")
        browser.press("Rename")
        browser.marked("New username")
        browser.fill("New username", "petr.kral@acme.example")
        browser.press("Rename")
        browser.sees("petr@acme.example is petr.kral@acme.example now", "a notice waits to be sent")
        company.fact("E-mail", "petr.kral@acme.example")

        # How to change a license; without one nobody logs in.
        company.in_row("payroll", "Change")
        company.choose("Licence", "intranet")
        browser.press("Let in")
        browser.sees("petr.kral@acme.example may use payroll", "intranet")
        company.in_row("payroll", "Take the licence")
        browser.fill("Reason", "works elsewhere for a while")
        browser.press("Take the licence")
        browser.follow("Why can't they log in?")
        browser.fill("Product", "payroll")
        browser.press("Explain")
        browser.sees("no-licence")

        # How to assign or change a role.
        browser.open(petr)
        browser.follow("Grant a role")
        company.choose("Role", "manager")
        browser.press("Grant the role")
        browser.sees("petr.kral@acme.example is manager")
        browser.press_or_follow("Revoke individual")
        browser.fill("Reason", "is a manager now")
        browser.press("Revoke the role")
        browser.sees("petr.kral@acme.example is individual no more")

        # How to reset a password: one by mail, or one that is set by hand. None can be seen.
        browser.follow("Mail a new password")
        browser.fill("Reason", "asked on the phone")
        browser.press("Mail a new password")
        browser.sees("petr.kral@acme.example is to get a new password by mail")
        browser.follow("Set a password")
        browser.fill("Password", "three grey herons")
        browser.fill("The same again", "three grey heron")
        browser.press("Set the password")
        browser.marked("The same again")
        browser.fill("Password", "three grey herons")
        browser.fill("The same again", "three grey herons")
        browser.press("Set the password")
        browser.sees("petr.kral@acme.example has another password")

        # "Add more users": several at once, all or none.
        browser.follow("People")
        browser.follow("Add from a file")
        browser.fill("Or its text", FILE.format(email="nowhere"))
        browser.press("See what would be added")
        browser.sees("1 of 2 rows would be refused", "ota.k", "email")
        browser.follow("Choose another file")
        browser.fill("Or its text", FILE.format(email="ota@acme.example"))
        browser.press("See what would be added")
        browser.sees("Add 2 people?", "iva.k", "ota.k")
        browser.press("Add 2 people")
        browser.sees("2 people were added")
        company.open_person("ota.k")

        # How to delete a user, and to take it back.
        browser.follow("Delete the login")
        browser.fill("Reason", "never came")
        browser.press("Delete the login")
        browser.sees("The login of ota.k was deleted")
        browser.press("Undo")
        browser.sees("was taken back")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
