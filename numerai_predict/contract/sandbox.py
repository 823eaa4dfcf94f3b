"""How much isolation a run requires."""

from __future__ import annotations

from enum import Enum


class Sandbox(Enum):
    """`--sandbox`: the layers that the machine allows, all layers or no run, or no layers."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"
