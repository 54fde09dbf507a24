"""The sample company's administrator at the console."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from support.browser import Failure

PASSWORD = "four blue herons fly"


class Company:
    def __init__(self, browser):
        self.browser = browser

    def first_sign_in(self, password):
        """With the temporary password, which has to be changed first."""
        browser = self.browser
        browser.open("/console")
        browser.fill("Username", "sam")
        browser.fill("Password", password)
        browser.press("Sign in")
        browser.sees("Your password is temporary")
        browser.fill("The password you signed in with", password)
        browser.fill("New password", PASSWORD)
        browser.fill("New password again", PASSWORD)
        browser.press("Change the password")
        browser.sees("Sign out")

    def buttons(self):
        """The texts of the buttons and links in the page's content."""
        found = self.browser.driver.find_elements(By.CSS_SELECTOR, "main button, main a")
        return [element.text for element in found if element.text]

    def open_person(self, username):
        """By the search that every page has."""
        browser = self.browser
        browser.open(f"/console/search?q={username}")
        browser.follow(username)
        browser.sees(username)

    def take_profile(self, workspace, profile):
        """The policies of the system that a guide is about."""
        browser = self.browser
        browser.open(f"/console/workspaces/{workspace}")
        browser.fill("Profile", profile)
        browser.press("See what it would change")
        browser.fill("Reason", "as the guide has it")
        browser.press("Take the profile")
        browser.sees("The policies are those of the profile")

    def look_at(self, workspace):
        browser = self.browser
        browser.open("/console/workspace")
        browser.press(f"Look at {workspace}")
        browser.sees(f"You look at the workspace {workspace}")

    def why(self, username, product):
        browser = self.browser
        browser.follow("Why can't they log in?")
        browser.fill("Person", username)
        browser.fill("Product", product)
        browser.press("Explain")

    def row(self, name, text):
        """The row of a table that begins with a name says something."""
        browser = self.browser
        rows = [row.text for row in browser.driver.find_elements(By.CSS_SELECTOR, "main tbody tr")]
        if not any(row.startswith(name) and text in row for row in rows):
            raise Failure(f"no row {name!r} says {text!r}; there are {rows}")

    def fact(self, name, text):
        """What stands for a name in the list of facts."""
        browser = self.browser
        facts = {term.text: term.find_element(By.XPATH, "following-sibling::dd[1]").text
                 for term in browser.driver.find_elements(By.CSS_SELECTOR, "main dt")}
        if text not in facts.get(name, ""):
            raise Failure(f"{name!r} is not {text!r}: {facts}")

    def choose(self, label, beginning):
        """Chooses the option that begins with a text."""
        choice = Select(self.browser._field(label))
        choice.select_by_visible_text(next(o.text for o in choice.options if o.text.startswith(beginning)))
