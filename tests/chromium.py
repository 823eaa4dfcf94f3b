"""Drives a headless Chromium: pages as a reader sees them, on any screen, light and dark."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from browser import NAMES, OPTIONS

_AXE = Path(__file__).parent / "vendored/axe-core/axe.min.js"
_LAYOUT = Path(__file__).parent / "layout_faults.js"
_SECONDS = 60.0


def program() -> str:
    """The browser; the test is skipped without one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is installed")
    return found


class Chromium:
    """One tab of a browser, driven over a pipe."""

    def __init__(self, folder: Path) -> None:
        there, self._write = os.pipe()
        self._read, here = os.pipe()
        options = [*OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={folder / 'chromium'}"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{there} 4>&{here}', "_", program(), *options],
            pass_fds=(there, here),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(here)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None
        self.events: list[dict] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def __call__(self, method: str, **parameters):
        """Call a method of the DevTools protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._write, content) :]
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], _SECONDS)
            assert ready, "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def screen(self, width: int, height: int = 900, scheme: str = "light", media: str = "") -> None:
        """Set the size of the screen, the colour scheme and, for print, the medium."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height,
             deviceScaleFactor=1, mobile=width < 500)  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self("Emulation.setEmulatedMedia", media=media, features=features)

    def require_readable(self, page: Path, width: int, scheme: str) -> None:
        """A page of this width and scheme is whole with scripts, without them, and in print."""
        for scripts, media in ((True, ""), (False, ""), (True, "print")):
            self.screen(width, scheme=scheme, media=media)
            self.open("about:blank")
            self.open(page, scripts)
            assert self.requested() == [page.as_uri()]
            assert self.complaints() == []
            assert self.layout_faults() == []
            assert self.serious_findings() == []

    def open(self, page: Path | str, scripts: bool = True) -> float:
        """Open a file; returns the seconds until it was loaded."""
        self.events.clear()
        address = page if isinstance(page, str) else page.resolve().as_uri()
        started = time.perf_counter()
        self("Emulation.setScriptExecutionDisabled", value=not scripts)
        self("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")
        self("Emulation.setScriptExecutionDisabled", value=False)
        self.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        return time.perf_counter() - started

    def wait_for(self, event: str) -> None:
        """Wait for an event."""
        deadline = time.monotonic() + _SECONDS
        while not any(each.get("method") == event for each in self.events):
            assert time.monotonic() < deadline
            self.events.append(self._next())

    def evaluate(self, expression: str):
        """The value of a JavaScript expression, awaited."""
        answer = self("Runtime.evaluate", expression=expression, returnByValue=True,
                      awaitPromise=True, userGesture=True)  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def requested(self) -> list[str]:
        """The addresses that the page requested, itself included."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """Exceptions of scripts, dialogs, and what the content security policy blocked."""
        names = ("Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Log.entryAdded")
        return [str(event) for event in self.events if event.get("method") in names]

    def serious_findings(self) -> list[str]:
        """What axe-core finds of serious or critical impact."""
        self.evaluate(_AXE.read_text() + "; 0")
        found = self.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for each in serious
            for node in each["nodes"][:3]
        ]

    def layout_faults(self) -> list[str]:
        """Texts that overlap or are cut off, and a page that is wider than the screen."""
        return self.evaluate(_LAYOUT.read_text())

    def picture(self, path: Path) -> Path:
        """Store a picture of the whole page."""
        answer = self("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))
        return path
