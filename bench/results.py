"""The latest output of every benchmark, stored in `bench/RESULTS.md`."""

from __future__ import annotations

import datetime
import os
import platform
import re
from pathlib import Path

_FILE = Path(__file__).parent / "RESULTS.md"
_TITLE = "# The latest output of the benchmarks\n"


def keep(name: str, lines: list[str]) -> None:
    """Print the lines, and replace the section of that name in the file."""
    print("\n".join(lines))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    machine = (
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, Python {platform.python_version()}"
    )
    section = "\n".join([f"## {name}", "", f"{machine}.", "", *lines, ""])
    text = _FILE.read_text() if _FILE.exists() else _TITLE
    found = re.compile(rf"^## {re.escape(name)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    text, times = found.subn(lambda _: section + "\n", text)
    if not times:
        text = f"{text}\n{section}"
    _FILE.write_text(text.rstrip() + "\n")
