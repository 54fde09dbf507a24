"""A new administrator, who has read nothing: finds out why Leo cannot log in and mends it, stops Ana's forgotten timer as
her, adds a person with a licence, and sees who did what."""

import sys

from support.company import signed_in


def main(address, password, **options):
    with signed_in(address, password, **options) as (browser, company):
        # Why can't Leo log in?
        browser.follow("Why can't they log in?")
        browser.fill("Person", "leo")
        browser.fill("Product", "payroll")
        browser.press("Explain")
        browser.sees("leo may not log in to payroll", "no-licence")
        button = next(name for name in company.buttons() if name.startswith("Assign office"))
        browser.press(button)
        browser.sees("leo may log in to payroll now", "All rules pass")

        # Ana's forgotten timer, stopped as her.
        browser.follow("Running timers")
        browser.follow("Over a day")
        browser.follow("ana")
        browser.follow("Log in as")
        browser.fill("Reason", "Ana asked me to stop her timer")
        browser.press("Log in as ana")
        browser.sees("sam acts as ana", "You act as ana now")
        browser.follow("Stop the timer")
        browser.press("Stop the timer")
        browser.sees("ana's timer is an entry of 3 d")
        browser.press("End acting as ana")
        browser.sees("You act as ana no longer")
        browser.sees_not("acts as")

        # A person with a licence.
        browser.follow("People")
        company.add_person(
            {"First name": "Nia", "Last name": "Larsson", "Username": "nia.larsson", "E-mail": "nia@acme.example",
             "Product payroll": True},
            {"Licence of payroll": "office"})
        browser.sees("Nia Larsson")

        # Who did what.
        browser.follow("Trail")
        browser.fill("Done by", "sam")
        browser.press("Show")
        browser.sees("LICENCE.ASSIGN", "TIMER.STOP", "USER.CREATE", "Ana asked me to stop her timer")
        browser.press("Verify now")
        browser.sees("Verified: whole and unchanged through record")
        browser.press("Sign out")
        browser.sees("Sign in")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
