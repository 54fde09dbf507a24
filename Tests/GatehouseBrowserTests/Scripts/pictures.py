"""The two pictures of the README: the people, and why somebody cannot log in."""

import base64
import os
import sys
import tempfile

from support.browser import Browser, Failure
from support.company import Company


def main(address, password):
    folder = os.environ.get("GATEHOUSE_PICTURES") or tempfile.mkdtemp()
    with Browser(address, width=1200, height=760, scheme="light") as browser:
        Company(browser).first_sign_in(password)
        for name, page in (("people", "/console/people"), ("why", "/console/why?user=leo&product=payroll")):
            browser.open(page)
            picture = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "webp", "quality": 60})
            path = os.path.join(folder, name + ".webp")
            with open(path, "wb") as file:
                file.write(base64.b64decode(picture["data"]))
            size = os.path.getsize(path)
            if not 5_000 < size < 80_000:
                raise Failure(f"{path} has {size} bytes")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
