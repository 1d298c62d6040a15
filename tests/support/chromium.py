"""A page opened in a real Chromium, driven over its DevTools pipe."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE = 600.0  # seconds for one answer


def find_chromium() -> str | None:
    """Return the program of a Chromium, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab; every message of the browser is kept in `events`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._rest = b""
        self._number = 0
        self._session = ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        answer = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = answer["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        self.process.stdin.flush()
        answer = self._until(lambda m: m.get("id") == self._number)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path: Path) -> None:
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        if not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self._until(lambda m: m.get("method") == "Page.loadEventFired")

    def value(self, script: str) -> Any:
        """Return what a script gives in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def complaints(self) -> list[str]:
        """Return everything the console would show: errors, warnings, messages."""
        seen = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(e["params"]) for e in self.events if e.get("method") in seen]

    def requests(self) -> list[str]:
        """Return what was fetched beside the page itself and data inside it."""
        urls = [
            e["params"]["request"]["url"]
            for e in self.events
            if e.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in urls[1:] if not url.startswith("data:")]

    def _until(self, wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + _PATIENCE
        pipe = self.process.stdout.fileno()
        while True:
            message, mark, rest = self._rest.partition(b"\0")
            if mark:
                self._rest = rest
                found = json.loads(message)
                self.events.append(found)
                if wanted(found):
                    return found
                continue
            left = end - time.monotonic()
            ready = select.select([pipe], [], [], max(left, 0.0))[0]
            data = os.read(pipe, 1 << 20) if ready else b""
            if not data:
                raise TimeoutError("Chromium did not answer.")
            self._rest += data


@contextmanager
def browser(profile: Path, width: int = 1366, height: int = 768) -> Iterator[Browser]:
    """Start a headless Chromium of its own profile; it ends with the block."""
    program = find_chromium()
    assert program is not None
    command = [
        program,
        "--headless=new",
        "--remote-debugging-pipe",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        f"--user-data-dir={profile}",
        f"--window-size={width},{height}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")
    # Chromium reads commands from descriptor 3 and answers on 4.
    wired = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'
    process = subprocess.Popen(
        ["/bin/sh", "-c", wired, "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            yield Browser(process)
        finally:
            process.kill()
