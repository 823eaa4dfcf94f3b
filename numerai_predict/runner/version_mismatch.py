"""The option and the variable that allow data of another version than a bundle's."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.option_parser import OptionParser

ALLOW_MISMATCH = "ALLOW_DATASET_VERSION_MISMATCH"

_TRUE = ("1", "true", "yes", "on")
_FALSE = ("", "0", "false", "no", "off")


def add_version_mismatch(group: argparse._ArgumentGroup) -> None:
    """Add `--allow-version-mismatch`."""
    group.add_argument(
        "--allow-version-mismatch",
        action="store_true",
        help="warn instead of failing if the data version differs from that of the bundle's "
        f"training data (default: {ALLOW_MISMATCH})",
    )


def allows_version_mismatch(
    parser: OptionParser, options: argparse.Namespace, environment: Mapping[str, str] = os.environ
) -> bool:
    """Whether the option or `ALLOW_DATASET_VERSION_MISMATCH` allows data of another version.

    Exits with 2 if the variable is neither true nor false.
    """
    value = environment.get(ALLOW_MISMATCH, "").strip().lower()
    if value not in _TRUE + _FALSE:
        parser.error(f"{ALLOW_MISMATCH}: expected true or false, found {one_line(value, 100)!r}")
    return bool(options.allow_version_mismatch) or value in _TRUE
