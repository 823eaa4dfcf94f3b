"""What a model process says about the predictions of its tree models, as its frame holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numerai_predict.acceleration.usage import MAX_REASONS, Used
from numerai_predict.contract.record import AccelerationFacts
from numerai_predict.runner.frame_schema import (
    MalformedFrame,
    read_list,
    read_string,
    require_keys,
)

_MAX_CHARACTERS = 200


@dataclass(frozen=True)
class AccelerationReport:
    """A word of `Used`, `None` without tree models, and reasons."""

    used: str | None = None
    reasons: tuple[str, ...] = ()

    @classmethod
    def parse(cls, content: Any) -> AccelerationReport:
        """The content of a frame; the default if it has none.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        if content is None:
            return cls()
        if type(content) is not dict:
            raise MalformedFrame("acceleration that is not an object")
        require_keys(content, frozenset(("used", "reasons")), "acceleration")
        used = content["used"]
        if used is not None and used not in [each.value for each in Used]:
            raise MalformedFrame("acceleration of an unknown kind")
        reasons = read_list(content["reasons"], "reasons", MAX_REASONS, _reason)
        return cls(used, tuple(reasons))

    def as_facts(self) -> AccelerationFacts:
        """The entry of the record."""
        return AccelerationFacts(self.used, self.reasons)


def _reason(value: Any, name: str) -> str:
    return read_string(value, name, _MAX_CHARACTERS)
