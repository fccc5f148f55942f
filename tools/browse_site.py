"""Look at each page of the built site in a real browser, as wide as a phone and as a desk.

Fails where a page is wider than the window, a picture is broken, the browser's console has an
error, or something is asked of another host. With --shots FOLDER it leaves a picture of each page.

It starts Debian's chromedriver (packages chromium and chromium-driver) and speaks WebDriver to it.
"""

import argparse
import base64
import functools
import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / ".site" / "html"
HEIGHT = 900
WIDTHS = (390, 1440)  # CSS pixels: a phone, a desk
PATIENCE = 60.0  # seconds for one command; the first one starts the browser
_LOOK = """
const [width] = arguments, whole = document.documentElement.scrollWidth;
return {
  "too wide": whole > width
    ? [...document.querySelectorAll("article *")]
        .filter(each => each.getBoundingClientRect().right > width + 1
                        && !each.closest(".md-typeset__scrollwrap, pre, .highlight"))
        .slice(0, 3).map(each => each.outerHTML.slice(0, 120)).concat(whole + " pixels")
    : [],
  "broken pictures": [...document.images]
    .filter(each => !each.complete || each.naturalWidth === 0).map(each => each.src),
  "asked of other hosts": performance.getEntriesByType("resource").map(each => each.name)
    .filter(name => !name.startsWith(location.origin) && !name.startsWith("data:")
                    && !name.startsWith("blob:")),
};
"""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser's window of a given width, by the address of its WebDriver session."""

    session: str
    width: int

    def open(self, url: str) -> None:
        """Load a page, with all that it loads."""
        _call(f"{self.session}/url", {"url": url})

    def look(self) -> dict[str, list[str]]:
        """What is wrong with the page, by its kind."""
        answer = _call(f"{self.session}/execute/sync", {"script": _LOOK, "args": [self.width]})
        errors = [
            entry["message"]
            for entry in _call(f"{self.session}/se/log", {"type": "browser"})
            if entry["level"] == "SEVERE"
        ]
        return {**answer, "errors": errors}

    def shot(self, path: Path) -> None:
        """Leave a picture of the window."""
        path.write_bytes(base64.b64decode(_call(f"{self.session}/screenshot")))


def _call(url: str, body: Any = None, method: str = "") -> Any:
    """One command of WebDriver, and its value."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - our own driver, on this machine
        url, data, {"Content-Type": "application/json"}, method=method or None
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        return json.load(answer)["value"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing: what is missing shows in the browser."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP, on a port that is free, at the address that is given."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def driver(program: str) -> Iterator[str]:
    """A chromedriver, ended with all its browsers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603
        [program, f"--port={port}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        for line in process.stdout or ():
            if "started successfully" in line:
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()  # until it has ended, with all that it has still said


@contextmanager
def browser(address: str, width: int) -> Iterator[Browser]:
    """A window of that width; a desk's browser has none as narrow as a phone, so it plays one."""
    size = {"width": width, "height": HEIGHT, "pixelRatio": 1.0, "mobile": width < WIDTHS[-1]}
    options = {
        "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
        "mobileEmulation": {"deviceMetrics": size},
    }
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    body = {"capabilities": {"alwaysMatch": wanted}}
    session = f"{address}/session/{_call(f'{address}/session', body)['sessionId']}"
    try:
        yield Browser(session, width)
    finally:
        _call(session, method="DELETE")


def problems(site: Path, widths: Sequence[int], shots: Path | None) -> Iterator[str]:
    """What is wrong with the pages of a site."""
    program = shutil.which("chromedriver") or ""
    with served(site) as origin, driver(program) as address:
        for width in widths:
            with browser(address, width) as window:
                for page in sorted(site.rglob("*.html")):
                    name = page.relative_to(site).as_posix()
                    if name == "404.html":  # its links are those of a site at the top of its host
                        continue
                    window.open(f"{origin}/{name}")
                    for what, found in window.look().items():
                        if found:
                            yield f"{name} at {width}: {what}: {'; '.join(found)}"
                    if shots:
                        window.shot(shots / f"{name.replace('/', '_')}-{width}.png")


def main(arguments: Sequence[str]) -> int:
    """Print every problem; 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the pages")
    shots = parser.parse_args(arguments).shots
    if not shutil.which("chromedriver"):
        print("There is no chromedriver here (Debian: apt-get install chromium chromium-driver).")
        return 1
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
    found = False
    for problem in problems(HTML, WIDTHS, shots):
        found = True
        print(problem, flush=True)
    print("These are to mend." if found else "every page is as it should be at both widths")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
