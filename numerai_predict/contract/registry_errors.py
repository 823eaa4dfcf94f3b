"""Errors of the model registry, as types that own their verdicts."""

from __future__ import annotations

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.verdicts import RegistryVerdict


class RegistryError(RunError):
    """A command of the registry ended without effect."""


class UnknownVersion(RegistryError):
    """The registry has no such model, version or alias."""

    verdict = RegistryVerdict.UNKNOWN_VERSION


class RegistryUnavailable(RegistryError):
    """The registry cannot be read or written."""

    verdict = RegistryVerdict.REGISTRY_UNAVAILABLE


class CorruptVersion(RegistryError):
    """A file of a version differs from its hash, or is missing."""

    verdict = RegistryVerdict.CORRUPT_VERSION


class PromotionRefused(RegistryError):
    """A gate blocked the promotion of a version."""

    verdict = RegistryVerdict.PROMOTION_REFUSED
