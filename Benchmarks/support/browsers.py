"""Who looks at the console: a client that measures first bytes, and chromium through its driver."""

import http.client
import json
import re
import shutil
import subprocess
import time
import urllib.parse

from .processes import free_port, wait_until


class Visitor:
    """Somebody who is signed in to the console, on one connection that stays open."""

    def __init__(self, port):
        self.port = port
        self.cookies = {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def sign_in(self, username, password):
        page = self.get("/console/sign-in").decode()
        fields = {"username": username, "password": password}
        for name in ("csrf", "idem"):
            found = re.search(f'name="{name}" value="([^"]*)"', page)
            if found:
                fields[name] = found[1]
        self._ask("POST", "/console/sign-in", urllib.parse.urlencode(fields))
        # Cookies of another port than the usual one have its number behind their names.
        assert any(name.startswith("gatehouse-session") for name in self.cookies), "the visitor is not signed in"

    def get(self, target):
        return self._ask("GET", target)

    def times(self, target, headers=None):
        """Milliseconds to the first byte and to the last, and the answer."""
        began = time.perf_counter()
        self.connection.request("GET", target, headers={**self._headers(), **(headers or {})})
        # Returns once the head is here.
        answer = self.connection.getresponse()
        first = time.perf_counter()
        body = answer.read()
        last = time.perf_counter()
        if answer.status != 200:
            raise RuntimeError(f"{target}: {answer.status} {body[:300]!r}")
        return (first - began) * 1e3, (last - began) * 1e3, body

    def _headers(self):
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _ask(self, method, target, body=None):
        headers = self._headers()
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, target, body, headers)
        answer = self.connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                cookie, _, value = value.split(";")[0].partition("=")
                self.cookies[cookie] = value
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {target}: {answer.status} {text[:300]!r}")
        return text


class Chromium:
    """A headless chromium, driven over WebDriver."""

    PROGRAMS = ("chromium", "chromedriver")

    @classmethod
    def is_installed(cls):
        return all(shutil.which(program) for program in cls.PROGRAMS)

    def __init__(self, bench):
        self.port = free_port()
        bench.start(["chromedriver", f"--port={self.port}"], "chromedriver")
        wait_until(lambda: subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{self.port}/status"]).returncode == 0,
                   "chromedriver", 30)
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900",
                            f"--user-data-dir={bench.make_folder('chromium')}"], "binary": shutil.which("chromium")}
        answer = self._send("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.session = "/session/" + answer["sessionId"]

    def open(self, address):
        """Shows a page, and returns once it is loaded."""
        self._send("POST", self.session + "/url", {"url": address})

    def set_cookies(self, cookies):
        for name, value in cookies.items():
            self._send("POST", self.session + "/cookie", {"cookie": {"name": name, "value": value, "path": "/"}})

    def run(self, script):
        return self._send("POST", self.session + "/execute/sync", {"script": script, "args": []})

    def page_time(self, address):
        """Milliseconds from the navigation to the end of the page's load event, by the browser's own clock."""
        self.open(address)
        return self.run("const e = performance.getEntriesByType('navigation')[0]; return e.loadEventEnd - e.startTime")

    def end(self):
        self._send("DELETE", self.session)

    def _send(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        value = json.loads(connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(f"chromedriver: {value['error']}: {value['message'][:500]}")
        return value
