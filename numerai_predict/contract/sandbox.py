"""How much isolation a run insists on, and the layers that it is made of."""

from __future__ import annotations

from enum import Enum


class Sandbox(Enum):
    """`--sandbox`: every layer that the machine allows, all of them or no run, or none."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"
