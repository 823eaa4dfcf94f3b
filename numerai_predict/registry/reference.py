"""References to a version of a registered model: `registry:NAME`, `@ALIAS` or `@NUMBER`."""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "registry:"
PRODUCTION = "production"

NAME_RULE = "letters, digits, '.', '_' and '-', at most 64, a letter or digit first"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Reference:
    """A version of a model, by its number or by an alias; one of both is `None`."""

    name: str
    number: int | None
    alias: str | None

    def __str__(self) -> str:
        return f"{PREFIX}{self.name}@{self.alias if self.number is None else self.number}"


def is_reference(text: str) -> bool:
    """Whether the text refers to a registered model."""
    return text.startswith(PREFIX)


def parse_reference(text: str) -> Reference:
    """The reference in a text such as `registry:mine@7`; the prefix may be left out.

    Without `@` it is the version in production.

    Raises:
        ValueError: it is none.
    """
    name, _, selector = text.removeprefix(PREFIX).partition("@")
    selector = selector or PRODUCTION
    if not is_name(name) or not (selector.isdecimal() or is_name(selector)):
        raise ValueError(f"expected NAME, NAME@ALIAS or NAME@NUMBER, found {text!r}")
    if selector.isdecimal() and selector.isascii():
        return Reference(name, int(selector), None)
    return Reference(name, None, selector)


def is_name(text: str) -> bool:
    """Whether a model or an alias can have this name."""
    return _NAME.fullmatch(text) is not None


def is_alias(text: str) -> bool:
    """Whether an alias can have this name: one of digits alone would be a version's number."""
    return is_name(text) and not text.isdecimal()
