"""What others try in a browser: a link from another site, markup that a person hides in their own fields behind letters
that join with it, and a clock that is wrong."""

import http.server
import sys
import threading
import urllib.parse

from selenium.webdriver.common.by import By

from support.browser import Browser, Failure
from support.company import Company


def main(address, password):
    with Browser(address) as browser, Elsewhere(address) as elsewhere:
        refresh_in_the_sign_in(browser, elsewhere)
        Company(browser).first_sign_in(password)
        link_from_elsewhere(browser, elsewhere)
        markup_in_fields(browser)
        wrong_clock(browser)


def refresh_in_the_sign_in(browser, elsewhere):
    joined = f'\u0d4e"\u0d4e>\u0d4e<meta http-equiv=refresh content=0;url={elsewhere.address}>'
    browser.open("/console/sign-in?next=" + urllib.parse.quote(joined))
    # The server answers a page of its own for the time that a browser would need to go elsewhere.
    browser.open("/console/sign-in?next=" + urllib.parse.quote(joined))
    metas = browser.driver.find_elements(By.CSS_SELECTOR, "meta[http-equiv]")
    expect(len(metas), 0)
    # What leads elsewhere is not carried along.
    expect(len(browser.driver.find_elements(By.NAME, "next")), 0)


def link_from_elsewhere(browser, elsewhere):
    browser.driver.get(elsewhere.address)
    browser.driver.find_element(By.LINK_TEXT, "a person").click()
    browser.sees("Sign out", "People")
    expect(browser.path, "/console/people?status=active")
    browser.open("/console/people")
    browser.sees("Sign out")


def markup_in_fields(browser):
    hidden = "".join(
        f"\u0d4e<input form=bulk type=hidden name={name} value={value} \u0d4e>"
        for name, value in (("role", "super-administrator"), ("kind", "everywhere")))
    hostile = hidden + "\u0d4e<button form=bulk formaction=/console/people/1/role \u0d4e>call"
    browser.open("/console/search?q=kai.kaya")
    browser.follow("kai.kaya")
    browser.follow("Edit")
    browser.fill("Department", hostile)
    browser.press("Save")
    browser.sees("was changed", hostile)
    for path in ("/console/people?field=username&op==&value=kai.kaya&column=username&column=department",
                 "/console/search?q=" + urllib.parse.quote("kai\u0d4e<button>call")):
        browser.open(path)
        expect([b for b in browser.driver.find_elements(By.CSS_SELECTOR, "main button") if b.text == "call"], [])
        expect(browser.driver.find_elements(By.CSS_SELECTOR, "input[name=role][type=hidden]"), [])


def wrong_clock(browser):
    """An hour ahead, and acting as somebody: the page stays."""
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
        "source": "const wrong = Date.now() + 3600e3; Date.now = () => wrong;"
                  "sessionStorage.loads = 1 + Number(sessionStorage.loads || 0);"})
    browser.open("/console/search?q=ana.silva")
    browser.open("/console/people?field=username&op==&value=ana")
    browser.follow("ana")
    browser.follow("Log in as")
    browser.fill("Reason", "to see that the page stays")
    browser.press("Log in as ana")
    browser.sees("sam acts as ana", "ends in ")
    before = browser.driver.execute_script("return sessionStorage.loads")
    browser.driver.execute_async_script("setTimeout(arguments[0], 3500)")
    expect(browser.driver.execute_script("return sessionStorage.loads"), before)
    browser.press("End acting as ana")
    browser.sees("You act as ana no longer")


class Elsewhere:
    """Another site, which links to the console."""

    def __init__(self, address):
        page = (f'<!doctype html><html lang="en"><title>x</title><h1>Elsewhere</h1>'
                f'<a href="{address}/console/people?status=active">a person</a>').encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # The console is at 127.0.0.1, and so this is another site to the browser.
        self.address = f"http://localhost:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def expect(found, wanted):
    if found != wanted:
        raise Failure(f"{found!r} instead of {wanted!r}")


main(sys.argv[1], sys.argv[2])
