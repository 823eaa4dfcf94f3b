"""Renders pages in a headless browser: a screenshot, and the URLs that the page requests."""

import json
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
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
    # No request leaves this machine, not even the browser's own.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def screenshot(url, folder, size):
    """A screenshot of a page at `width,height`, and the URLs that the page requested."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is installed")
    picture, log = folder / "page.png", folder / "net.json"
    argv = [program, *OPTIONS, f"--user-data-dir={folder / 'browser'}", f"--log-net-log={log}"]
    argv += [f"--screenshot={picture}", f"--window-size={size}", url]
    completed = subprocess.run(argv, capture_output=True, text=True, timeout=90)
    assert picture.exists(), completed.stderr
    return picture, _requests_of(url, log)


def _requests_of(page, log):
    """The URLs that the page requested, itself excluded, from the browser's network log."""
    parts = urlsplit(page)
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    assert any(params.get("url") == page for params in events), "the page itself is not in the log"
    origin = f"{parts.scheme}://{parts.netloc}"
    urls = [params["url"] for params in events if params.get("initiator") == origin]
    favicon = f"{origin}/favicon.ico"  # every browser requests it
    return [url for url in dict.fromkeys(urls) if url != favicon]
