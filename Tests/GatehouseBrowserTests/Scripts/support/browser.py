"""A real browser, driven as a person would: by what is written on the page and by keys.

Every page that is visited is checked: axe finds nothing, no script was refused by the content security policy, nothing was
written to the console as an error, and there is one heading of the first level."""

import os
import sys
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

import axe_playwright_python

AXE = os.path.join(os.path.dirname(axe_playwright_python.__file__), "axe.min.js")
# How many tabs there are from what has the focus to something; null where no tab stops there.
DISTANCE = """
const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")].filter(e =>
  e.tabIndex >= 0 && !e.disabled && e.type !== "hidden" && e.getClientRects().length);
const end = stops.indexOf(arguments[0]);
return end < 0 ? null : end - stops.indexOf(document.activeElement);
"""
PATIENCE = 20 * float(os.environ.get("GATEHOUSE_PATIENCE", "1"))


class Failure(AssertionError):
    """What was expected, and what the page says instead."""


class Browser:
    def __init__(self, address, scripts=True, width=1280, height=900, scheme=None, keyboard=False):
        """`scripts` off: as somebody without JavaScript. `scheme`: `dark` or `light`. `keyboard`: as somebody without a
        mouse."""
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en-GB",
                     f"--window-size={width},{height}", "--force-prefers-reduced-motion"):
            options.add_argument(word)
        if not scripts:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(PATIENCE)
        if scheme:
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        # No window is as narrow as a phone.
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        self.address = address.rstrip("/")
        self.has_scripts = scripts
        self.by_keyboard = keyboard
        self.checked = set()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(f"at {self.driver.current_url}, which says:\n{self.text[:3000]}", file=sys.stderr)
            folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
            if folder:
                self.driver.save_screenshot(os.path.join(folder, "failure.png"))
        self.driver.quit()

    # Pages

    def open(self, path):
        self.driver.get(self.address + path)
        self.check()

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def path(self):
        return self.driver.current_url.removeprefix(self.address)

    @property
    def heading(self):
        return self.driver.find_element(By.TAG_NAME, "h1").text

    def sees(self, *texts):
        """Waits until all texts are on the page."""
        missing = self._wait(lambda: [text for text in texts if text not in self.text] or None, until=None)
        if missing:
            raise Failure(f"the page does not say {missing}")

    def sees_not(self, *texts):
        shown = [text for text in texts if text in self.text]
        if shown:
            raise Failure(f"the page says {shown}")

    def _wait(self, ask, until):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = ask()
            except WebDriverException:
                # The page is being replaced.
                answer = "unknown"
            if answer == until or time.monotonic() > end:
                return answer
            time.sleep(0.05)

    # What a person does

    def follow(self, text):
        """Clicks a link or a button by its text, and waits for the next page."""
        self._act(self._named(text))

    def press(self, text, inside=None):
        """Presses a button by its text; `inside` is a text of the row, section or dialog that it stands in."""
        self._act(self._named(text, ("button",), inside))

    def press_or_follow(self, text, inside=None):
        """Whether it is a button or a link."""
        self._act(self._named(text, ("a", "button"), inside))

    def tick(self, *labels):
        """Ticks the rows of a table."""
        for label in labels:
            box = self.driver.find_element(By.XPATH, f"//input[@type='checkbox'][@aria-label={_literal('Select ' + label)}]")
            self._toggle(box)

    def fill_day(self, label, day):
        """A day as a form sends it; how it is typed depends on the reader's country."""
        field = self._field(label)
        self.driver.execute_script("arguments[0].value = arguments[1]", field, day)

    def marked(self, label):
        """The field is marked as wrong, says why, and has the focus."""
        field = self._field(label)
        described = field.get_attribute("aria-describedby")
        hint = self.driver.find_element(By.ID, described).text if described else ""
        if field.get_attribute("aria-invalid") != "true" or not hint:
            raise Failure(f"the field {label!r} is not marked: {field.get_attribute('outerHTML')} {hint!r}")
        if self.driver.switch_to.active_element != field:
            raise Failure(f"the field {label!r} has not the focus")

    def fill(self, label, value):
        """Fills the field with this label."""
        field = self._field(label)
        if field.tag_name == "select":
            return self.choose(field, value)
        if field.get_attribute("type") in ("checkbox", "radio"):
            if field.is_selected() != bool(value):
                self._toggle(field)
            return None
        if self.by_keyboard:
            self._go_to(field)
            webdriver.ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(
                Keys.DELETE, value).perform()
            return None
        field.clear()
        return field.send_keys(value)

    def choose(self, field, text):
        """Chooses an option by its text."""
        if not self.by_keyboard:
            return Select(field).select_by_visible_text(text)
        options = [option.text for option in Select(field).options]
        self._go_to(field)
        self.keys(Keys.HOME, *[Keys.DOWN] * options.index(text))
        if Select(field).first_selected_option.text != text:
            raise Failure(f"the keyboard does not choose {text!r} of {options}")
        return None

    def _toggle(self, box):
        if not self.by_keyboard:
            return box.click()
        self._go_to(box)
        return self.keys(Keys.SPACE)

    def _act(self, element):
        before = self.driver.find_element(By.TAG_NAME, "html")
        if self.has_scripts:
            # Not under the bar at the top, which stays where it is.
            self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        if self.by_keyboard:
            self._go_to(element)
            self._visible(element)
            self.keys(Keys.ENTER)
        else:
            element.click()
        self._leave(before)

    def _leave(self, before):
        """Waits until the page that was there is gone, and checks the one that came."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                before.is_enabled()
            except WebDriverException:
                # It is stale, or, for a moment, of no document at all.
                break
            time.sleep(0.02)
        self._wait(lambda: self.driver.execute_script("return document.readyState") if self.has_scripts else "complete",
                   until="complete")
        self._wait(lambda: len(self.driver.find_elements(By.TAG_NAME, "h1")) == 1, until=True)
        self.check()

    def _named(self, text, tags=("a", "button"), inside=None):
        quoted = _literal(text)
        names = " or ".join(f"self::{tag}" for tag in tags)
        path = f"//*[{names}][normalize-space()={quoted} or @aria-label={quoted}]"
        if inside:
            within = _literal(inside)
            path = (f"//*[self::tr or self::li or self::section or self::fieldset or self::article or self::div"
                    f"][contains(normalize-space(), {within})][.{path}][last()]{path}")
        found = [element for element in self.driver.find_elements(By.XPATH, path) if element.is_displayed()]
        if not found:
            shown = [e.text for e in self.driver.find_elements(By.CSS_SELECTOR, "main a, main button") if e.text]
            raise Failure(f"there is no {' or '.join(tags)} {text!r} (inside {inside!r}); there are {shown}")
        if inside:
            return found[-1]
        # What is in the content comes before the navigation around it.
        in_content = [element for element in found if element.find_elements(By.XPATH, "ancestor::main")]
        return (in_content or found)[0]

    def _field(self, label):
        quoted = _literal(label)
        for path in (f"//label[starts-with(normalize-space(), {quoted})]", f"//*[@aria-label={quoted}]"):
            for element in self.driver.find_elements(By.XPATH, path):
                if element.tag_name != "label":
                    return element
                target = element.get_attribute("for")
                if target:
                    return self.driver.find_element(By.CSS_SELECTOR, f"[name][id={target!r}]")
                return element.find_element(By.CSS_SELECTOR, "input, select, textarea")
        labels = [e.text for e in self.driver.find_elements(By.TAG_NAME, "label")]
        raise Failure(f"there is no field {label!r}; there are {labels}")

    # With the keyboard alone

    def keys(self, *keys):
        for key in keys:
            webdriver.ActionChains(self.driver).send_keys(key).perform()

    def _go_to(self, element):
        """To something of the page by tabs, there or back. A field of a day takes several, and so it is looked again."""
        for _ in range(100):
            distance = self.driver.execute_script(DISTANCE, element)
            if distance == 0:
                return
            if distance is None:
                break
            keys = webdriver.ActionChains(self.driver)
            if distance > 0:
                keys.send_keys(Keys.TAB * distance)
            else:
                keys.key_down(Keys.SHIFT).send_keys(Keys.TAB * -distance).key_up(Keys.SHIFT)
            keys.perform()
        raise Failure(f"no tab leads to {element.get_attribute('outerHTML')[:160]}")

    def tab_to(self, text, limit=200):
        """Goes from one focusable thing to the next until one has this text, name or label."""
        for _ in range(limit):
            self.keys(Keys.TAB)
            focus = self.driver.switch_to.active_element
            if text in (focus.text.strip(), focus.accessible_name):
                self._visible(focus)
                return focus
        raise Failure(f"{limit} tabs do not lead to {text!r}")

    def activate(self, text):
        """Goes to a link or button by tabs and presses Enter."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.tab_to(text)
        self.keys(Keys.ENTER)
        self._leave(before)

    def _visible(self, focus):
        """Focus can be seen: an outline, or a shadow."""
        style = self.driver.execute_script(
            "const s = getComputedStyle(arguments[0]);"
            "return [s.outlineStyle, s.outlineWidth, s.boxShadow]", focus) if self.has_scripts else None
        if style and style[0] in ("none", "") and style[2] in ("none", ""):
            raise Failure(f"focus on {focus.text or focus.accessible_name!r} cannot be seen")

    # Checks of every page

    def check(self):
        headings = self.driver.find_elements(By.TAG_NAME, "h1")
        if len(headings) != 1:
            raise Failure(f"{self.path} has {len(headings)} headings of the first level")
        if not self.has_scripts:
            return
        broken = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"
                  and "favicon" not in entry["message"] and " 40" not in entry["message"]]
        if broken:
            raise Failure(f"the browser's console: {broken}")
        # One kind of page is looked at once; states are looked at where they are new.
        kind = (self.path.split("?")[0], self.heading, len(self.driver.find_elements(By.CSS_SELECTOR, "main *")))
        if kind in self.checked:
            return
        self.checked.add(kind)
        violations = self.axe()
        if violations:
            raise Failure(f"axe at {self.path}: {violations}")

    def axe(self):
        with open(AXE) as file:
            self.driver.execute_script(file.read())
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa',"
            " 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r => done(r.violations), e => done([{id:"
            " String(e), nodes: []}]))")
        return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]] or [
            one["id"] for one in found if not one["nodes"]]

    def screenshot(self, path, height=None):
        if height:
            self.driver.set_window_size(self.driver.get_window_size()["width"], height)
        self.driver.save_screenshot(path)

    def overflowing(self):
        """What makes the page so wide that it has to be scrolled sideways; nothing if it does not."""
        return self.driver.execute_script(
            "const most = document.documentElement.clientWidth + 1;"
            "if (document.documentElement.scrollWidth <= most) return [];"
            "const inside = e => { for (let p = e.parentElement; p; p = p.parentElement)"
            " if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };"
            "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > most"
            " && !inside(e)).map(e => e.outerHTML.slice(0, 120)).concat(['the page'])")

    # Signing in

    def sign_in(self, username, password):
        self.open("/console")
        self.fill("Username", username)
        self.fill("Password", password)
        self.press("Sign in")
        self.sees("Sign out")


def _literal(text):
    """A text as XPath writes it."""
    if "'" not in text:
        return f"'{text}'"
    return "concat(" + ", \"'\", ".join(f"'{part}'" for part in text.split("'")) + ")"
