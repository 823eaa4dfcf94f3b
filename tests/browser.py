"""A real browser without a screen, for pages: what it draws, and what it asks for."""

import json
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    # Nothing leaves this machine, not even what the browser would ask for by itself.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def screenshot(url, folder, size):
    """A picture of a page at `width,height`, and the URLs that it made the browser ask for."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser: none of {', '.join(_NAMES)} is installed")
    picture, log = folder / "page.png", folder / "net.json"
    words = [program, *_QUIET, f"--user-data-dir={folder / 'browser'}", f"--log-net-log={log}"]
    words += [f"--screenshot={picture}", f"--window-size={size}", url]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=90)
    assert picture.exists(), ended.stderr
    return picture, _asked_by(url, log)


def _asked_by(page, log):
    """What the page asked for, itself left out, by the browser's own log of the network."""
    parts = urlsplit(page)
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    assert any(params.get("url") == page for params in events), "the page itself is not in the log"
    origin = f"{parts.scheme}://{parts.netloc}"
    urls = [params["url"] for params in events if params.get("initiator") == origin]
    own = f"{origin}/favicon.ico"  # a browser asks for it by itself
    return [url for url in dict.fromkeys(urls) if url != own]
