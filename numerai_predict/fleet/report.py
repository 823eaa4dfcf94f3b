"""The page of a round: one HTML file, with nothing to load."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.fleet.ledger import Ledger


def write_report(directory: Path, ledger: Ledger) -> Path:
    """Write `fleet.html`; where it is."""
    return directory / "fleet.html"
