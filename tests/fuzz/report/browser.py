"""A real browser for tests: headless Chromium through chromedriver's W3C protocol, real keys."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

#: No network, no first-run pages, nothing kept.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
KEYS = {"Tab": "\ue004", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "End": "\ue010",
        "Home": "\ue011"}  # fmt: skip


class Browser:
    """One session; ``call`` speaks the protocol. Raises AssertionError with what went wrong."""

    def __init__(self, port: int, profile: Path, width: int, height: int) -> None:
        self.port = port
        self.session = ""
        arguments = [*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        binary = shutil.which("chromium")
        options = {"goog:chromeOptions": {"binary": binary, "args": arguments}}
        found = self.call("POST", "", {"capabilities": {"alwaysMatch": options}})
        self.session = f"/{found['sessionId']}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One command of the session."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        text = None if method == "GET" else json.dumps(body or {})
        connection.request(method, f"/session{self.session}{path}", text)
        reply = connection.getresponse()
        value = json.loads(reply.read())["value"]
        connection.close()
        assert reply.status == 200, value
        return value

    def open(self, path: Path) -> None:
        """Load a file."""
        self.call("POST", "/url", {"url": path.resolve().as_uri()})

    def run(self, script: str) -> Any:
        """The value of a script with ``return``."""
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def press(self, *keys: str) -> None:
        """Real key presses."""
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.call("POST", "/actions", {"actions": [source]})

    def scheme(self, name: str) -> None:
        """Prefer ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        parameters = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self.call("POST", "/goog/cdp/execute", parameters)

    def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self.call("GET", "/screenshot"))


@contextmanager
def browser(profile: Path, width: int = 1200, height: int = 900) -> Iterator[Browser]:
    """A browser with a new, empty profile; skips the test when there is none."""
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian packages chromium chromium-driver: "
                        f"{package})")  # fmt: skip
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert driver.stdout is not None
        found = None
        for line in driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                break
        assert found, "chromedriver did not start"
        opened = Browser(int(found[1]), profile, width, height)
        try:
            yield opened
        finally:
            opened.call("DELETE", "")
    finally:
        driver.terminate()
        driver.wait()
        driver.stdout.close()
