"""Errors that stop a fleet run; a model's own failure is part of its result record instead."""

from __future__ import annotations


class FleetError(Exception):
    """A fleet run cannot start or continue; the message says why and what to do."""


class DirectoryInUse(FleetError):
    """Another fleet run uses the output directory."""


class NoCapacity(FleetError):
    """No node can run a worker that a model needs."""
