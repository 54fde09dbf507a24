"""The guide *Accounts tab*: for owners on the Enterprise plan, who log in as somebody, stop a timer and end a key."""

import sys

from support.browser import Browser
from support.company import PASSWORD, Company


def main(address, password):
    with Browser(address) as browser:
        company = Company(browser)
        company.first_sign_in(password)

        # The tab is there for owners on the Enterprise plan alone.
        company.take_profile("main", "clockify")
        company.open_person("kai")
        browser.sees("accounts.needs")
        browser.open("/console/workspaces/main")
        browser.fill("plan", "enterprise")
        browser.press("Save what changed")
        browser.sees("enterprise")
        browser.fill("New owner", "sam")
        browser.press("See what would change")
        browser.fill("Reason", "owns the workspace")
        browser.press("Make the owner")
        browser.sees("sam")

        # Log in as a user, and stop the forgotten timer as them.
        company.open_person("ana")
        browser.follow("Log in as")
        browser.fill("Reason", "left the timer running")
        browser.press("Log in as ana")
        browser.sees("sam acts as ana")
        browser.follow("Stop the timer")
        browser.press("Stop the timer")
        browser.sees("ana's timer is an entry of")
        browser.press("End acting as ana")
        browser.sees("You act as ana no longer")

        # The time is corrected and saved.
        browser.press_or_follow("Open", inside="Time")
        browser.fill("Note", "stopped for her; she left at five")
        browser.press("Save")
        browser.sees("stopped for her; she left at five")

        # A key is ended: its number is shown, never its characters.
        company.open_person("kai")
        browser.sees("time export")
        browser.sees_not("ga_")
        browser.press_or_follow("End the key time export")
        browser.fill("Reason", "no longer used")
        browser.press("End the key")
        browser.sees("The key has ended", "ended")
        browser.press("Sign out")

        # Another administrator does not see the tab.
        browser.sees("You are signed out")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
