"""The guide *Accounts tab*: for owners on the Enterprise plan, who log in as somebody, stop a timer and end a key."""

import sys

from support.company import signed_in


def main(address, password, **options):
    with signed_in(address, password, **options) as (browser, company):
        # Logging in as others is there for owners on the Enterprise plan alone.
        company.open_workspace("clock", "clockify", {"track": {}})
        browser.follow("People")
        company.add_person({"Username": "kim", "E-mail": "kim@acme.example", "Product clock/track": True})
        browser.sees("needs-owner")
        kim = browser.path
        browser.open("/console/workspaces/clock")
        browser.fill("Person", "sam")
        browser.press("Make a member")
        browser.fill("New owner", "sam")
        browser.press("See what would change")
        browser.fill("Reason", "owns the workspace")
        browser.press("Hand it on")
        browser.open(kim)
        browser.sees("needs-enterprise")
        browser.open("/console/workspaces/clock")
        browser.fill("plan", "enterprise")
        browser.press("Save what changed")
        browser.sees("enterprise")
        browser.open(kim)
        browser.follow("Log in as")
        browser.fill("Reason", "to see what kim sees")
        browser.press("Log in as kim")
        browser.sees("sam acts as kim")
        browser.press("End acting as kim")
        company.look_at("main")

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
        browser.press("Save the correction")
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
        browser.sees("You are signed out")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
