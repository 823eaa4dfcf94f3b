"""A table of models, and what a run of each is expected to say.

The modules with models run in every image to make the pickles there, so they use what every image
has: cloudpickle, NumPy, pandas and the standard library. A model imports other libraries itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_HOSTED = "hosted compute would refuse this"


@dataclass(frozen=True)
class Expected:
    """A verdict, words of the message, the remedy or the warnings, and what hosted compute does.

    `hosted` is `hosted.accepted` of the record; `silent`: no warning at all.
    """

    verdict: str
    words: tuple[str, ...] = ()
    hosted: bool | None = None
    silent: bool = False

    def differences(self, record: dict[str, Any]) -> list[str]:
        """What a record says otherwise."""
        found = [] if record["verdict"] == self.verdict else [f"verdict {record['verdict']}"]
        text = "\n".join([str(record["message"]), str(record["remedy"]), *record["warnings"]])
        found += [f"no {word!r}" for word in self.words if word not in text]
        if record["hosted"]["accepted"] is not self.hosted:
            found.append(f"hosted.accepted {record['hosted']['accepted']}")
        reasons = [warning for warning in record["warnings"] if warning.startswith(_HOSTED)]
        if self.verdict == "ok" and bool(reasons) is bool(self.hosted):
            found.append(f"{len(reasons)} warnings about hosted compute")
        if self.silent and record["warnings"]:
            found.append(f"warnings {record['warnings']}")
        return [*found, text] if found else []


def ok() -> Expected:
    """It succeeds without a warning, here and hosted."""
    return Expected("ok", hosted=True, silent=True)


def warned(*words: str) -> Expected:
    """It succeeds here and hosted; a warning contains the words."""
    return Expected("ok", words, hosted=True)


def refused_hosted(*words: str) -> Expected:
    """It succeeds here with the warning that hosted compute would refuse it, and why."""
    return Expected("ok", words, hosted=False)


def invalid(*words: str) -> Expected:
    """The predictions are refused here, and hosted."""
    return Expected("invalid_predictions", words, hosted=False)


def fails(verdict: str, *words: str) -> Expected:
    """It fails before there are predictions."""
    return Expected(verdict, words)


@dataclass(frozen=True)
class Case:
    """A model of a kind that people publish.

    `make` returns the object to pickle, or, if `is_file`, the bytes of a file. `shared` is what is
    expected where the model has no namespaces of its own, if that differs. `modules` are those
    that it needs.
    """

    name: str
    make: Callable[[], Any]
    expected: Expected
    shared: Expected | None = None
    modules: tuple[str, ...] = ()
    suffix: str = "pkl"
    protocol: int | None = None
    is_file: bool = False

    def differences(self, record: dict[str, Any]) -> list[str]:
        """What a record says otherwise than expected with the layers that it lists."""
        layers = record["sandbox"] or {}
        is_private = not any(layers.get(name, "").startswith("not available") for name in _PRIVATE)
        expected = self.expected if is_private or self.shared is None else self.shared
        return expected.differences(record)

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self.name}.{self.suffix}"


_PRIVATE = ("mount_namespace", "network_namespace")


class CaseTable:
    """The cases of a module, in order."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}

    def add(self, name: str, make: Callable[[], Any], expected: Expected, **more: Any) -> None:
        """Add a case; a name is used once."""
        assert name not in self.cases, f"{name} is there already"
        self.cases[name] = Case(name, make, expected, **more)

    def model(self, expected: Expected, **more: Any) -> Callable[[Any], Any]:
        """Add a function as the case of its name."""

        def register(function: Any) -> Any:
            self.add(function.__name__, lambda: function, expected, **more)
            return function

        return register

    def made_by(self, expected: Expected, **more: Any) -> Callable[[Any], Any]:
        """Add what a function returns as the case of its name."""

        def register(function: Any) -> Any:
            self.add(function.__name__, function, expected, **more)
            return function

        return register
