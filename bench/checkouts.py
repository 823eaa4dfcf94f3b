"""Checkouts of this repository that a benchmark compares, each with a .venv of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CURRENT = Path(__file__).parents[1]


def python(checkout: Path) -> Path:
    """The Python that runs the checkout's code."""
    if checkout == CURRENT:
        return Path(sys.executable)
    path = checkout / ".venv/bin/python"
    if not path.exists():
        sys.exit(f"expected a checkout with a .venv (`make setup`), found none: {path}")
    return path


def commit(checkout: Path) -> str:
    """The short hash of the checkout's commit."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    ended = subprocess.run(command, capture_output=True, text=True)
    return ended.stdout.strip() or "unknown"
