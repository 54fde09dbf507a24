"""The sample company's administrator at the console."""

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

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

    def choose(self, label, beginning):
        """Chooses the option that begins with a text."""
        choice = Select(self.browser._field(label))
        choice.select_by_visible_text(next(o.text for o in choice.options if o.text.startswith(beginning)))
