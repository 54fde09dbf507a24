"""The sample company's administrator at the console."""

from contextlib import contextmanager

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from support.browser import Browser, Failure

PASSWORD = "four blue herons fly"


@contextmanager
def signed_in(address, password, **options):
    """A browser in which the administrator has signed in for the first time."""
    with Browser(address, **options) as browser:
        company = Company(browser)
        company.first_sign_in(password)
        yield browser, company


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

    def add_person(self, fields, choices=None):
        """A person by the form, whose fields and choices are named by their labels."""
        browser = self.browser
        browser.follow("Add a person")
        for label, value in fields.items():
            browser.fill(label, value)
        for label, beginning in (choices or {}).items():
            self.choose(label, beginning)
        browser.press("Add the person")
        browser.sees(f"{fields['Username']} was added")

    def open_person(self, username):
        """By the search that every page has."""
        browser = self.browser
        browser.open(f"/console/search?q={username}")
        browser.follow(username)
        browser.sees(username)

    def open_workspace(self, name, profile, products):
        """A workspace with the policies of the system that a guide is about, and with its products."""
        browser = self.browser
        browser.open("/console/workspaces")
        browser.fill("Name", name)
        browser.fill("Profile", profile)
        browser.press("Add")
        browser.sees(f"The workspace {name} is there")
        self.look_at(name)
        for product, licences in products.items():
            browser.follow("Products and seats")
            browser.fill("Name", product)
            browser.press("Add")
            browser.sees(product)
            for licence, seats in licences.items():
                browser.open(f"/console/product?name={name}/{product}")
                browser.fill("Licence type", licence)
                browser.fill("Seats bought", str(seats))
                browser.press("Save")
                browser.sees(licence)

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

    def in_row(self, name, text):
        """The button or link of the row that begins with a name."""
        browser = self.browser
        for row in browser.driver.find_elements(By.CSS_SELECTOR, "main tbody tr"):
            if row.text.startswith(name):
                found = [e for e in row.find_elements(By.CSS_SELECTOR, "a, button")
                         if text in (e.text, e.get_attribute("aria-label"))]
                if found:
                    return browser._act(found[0])
        raise Failure(f"no row {name!r} has a button {text!r}")

    def fact(self, name, text):
        """What stands for a name in the list of facts."""
        browser = self.browser
        facts = {term.text: term.find_element(By.XPATH, "following-sibling::dd[1]").text
                 for term in browser.driver.find_elements(By.CSS_SELECTOR, "main dt")}
        if text not in facts.get(name, ""):
            raise Failure(f"{name!r} is not {text!r}: {facts}")

    def choose(self, label, beginning):
        """Chooses the option that begins with a text."""
        field = self.browser._field(label)
        self.browser.choose(field, next(o.text for o in Select(field).options if o.text.startswith(beginning)))
