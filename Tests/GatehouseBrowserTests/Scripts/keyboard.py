"""With the keyboard alone: signs in, skips to the content, searches with /, goes through the list with j and k, selects
with x, opens with Enter, reads the keys with ?, and explains a login."""

import sys

from selenium.webdriver.common.keys import Keys

from support.browser import Browser, Failure
from support.company import PASSWORD, Company


def main(address, password):
    with Browser(address) as browser:
        Company(browser).first_sign_in(password)
        browser.press("Sign out")

        browser.open("/console")
        browser.tab_to("Username")
        browser.keys("sam", Keys.TAB, PASSWORD)
        html = browser.driver.find_element("tag name", "html")
        browser.keys(Keys.ENTER)
        browser._leave(html)
        browser.sees("Sign out")

        # The first thing is the way past the navigation.
        browser.keys(Keys.TAB)
        skip = browser.driver.switch_to.active_element
        expect(skip.text, "Skip to the content")
        browser.keys(Keys.ENTER)
        expect(browser.driver.switch_to.active_element.get_attribute("id"), "main")

        # j and k go through the rows, x selects, Enter opens.
        browser.keys("j", "j", "k", "x")
        chosen = browser.driver.find_elements("css selector", "tbody input:checked")
        expect(len(chosen), 1)
        html = browser.driver.find_element("tag name", "html")
        browser.keys(Keys.ENTER)
        browser._leave(html)
        browser.sees("Card")

        # / is the search.
        browser.keys("/")
        expect(browser.driver.switch_to.active_element.get_attribute("id"), "search")
        html = browser.driver.find_element("tag name", "html")
        browser.keys("leo", Keys.ENTER)
        browser._leave(html)
        browser.sees("leo")

        # ? shows the keys, Escape gives the focus back.
        browser.keys("?")
        dialog = browser.driver.find_element("id", "keyboard-keys")
        expect(dialog.is_displayed(), True)
        browser.keys(Keys.ESCAPE)
        expect(dialog.is_displayed(), False)

        # Who does not want letters to be keys turns them off, and on again (WCAG 2.1.4).
        for use in (False, True):
            browser.open("/console/why")
            browser.tab_to("Keyboard keys")
            browser.keys(Keys.ENTER)
            browser.tab_to("Letters alone are keys")
            browser.keys(Keys.SPACE, Keys.ESCAPE)
            expect(browser.driver.switch_to.active_element.get_attribute("id"), "show-keys")
            browser.keys("/")
            expect(browser.driver.switch_to.active_element.get_attribute("id"), "search" if use else "show-keys")

        # A form.
        browser.open("/console/why")
        browser.tab_to("Person")
        browser.keys("leo")
        browser.tab_to("Product")
        browser.keys("payroll")
        browser.activate("Explain")
        browser.sees("leo may not log in to payroll")


def expect(found, wanted):
    if found != wanted:
        raise Failure(f"{found!r} instead of {wanted!r}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
