"""The option and the variable that turn the tree engine off."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

VARIABLE = "NUMERAI_ACCELERATION"


def add_acceleration(group: argparse._ArgumentGroup) -> None:
    """Add `--no-acceleration`."""
    group.add_argument(
        "--no-acceleration",
        action="store_true",
        help="predict tree models with their own libraries; the results are the same "
        f"(default: {VARIABLE})",
    )


def allows_acceleration(
    options: argparse.Namespace, environment: Mapping[str, str] = os.environ
) -> bool:
    """Whether neither the option nor the variable turns the engine off."""
    return not options.no_acceleration and is_allowed_by(environment)


def is_allowed_by(environment: Mapping[str, str]) -> bool:
    """Whether the variable does not turn the engine off: `0` does."""
    return environment.get(VARIABLE, "").strip() != "0"
