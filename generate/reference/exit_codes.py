"""Verdicts and exit codes, from the enums of `contract/verdicts.py`."""

from __future__ import annotations

from collections.abc import Iterable

from generate.reference import markdown
from generate.reference.markdown import code, table
from numerai_predict.contract.errors import DeadlinePassed, RunError, Transient
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.contract.verdicts import (
    AnyVerdict,
    ProcessExit,
    RegistryVerdict,
    TournamentVerdict,
    TrainingVerdict,
    Verdict,
)

_INTRODUCTION = (
    "Each verdict has one word and one exit code. They are unique among all commands, and never "
    "reused. The last line of a log names both, with a message and a remedy; the [result "
    "record](result-record.md) has them for programs. *Retry* says whether another attempt can "
    "succeed although nothing is changed."
)


def page() -> str:
    """The page."""
    return markdown.page(
        "contract/verdicts.py",
        "Verdicts and exit codes",
        _INTRODUCTION,
        _section("Runs", Verdict),
        _section("The tournament", TournamentVerdict),
        "The commands of the tournament end with the verdicts of a run too: 15 if data are not "
        "available, 20 if the model raised an exception.",
        _section("Training", TrainingVerdict),
        _section("The model registry", RegistryVerdict),
        "## Exits without a verdict",
        "Any command can be stopped by a signal. If the same command is run again, it continues "
        "where it stopped.",
        table(("exit", "meaning"), [(str(each.exit_code), each.meaning) for each in ProcessExit]),
        "`fleet run` and `fleet status` end with 0 if every model is delivered, and with 1 if not. "
        "`fleet run` ends with 50 if the deadline came first. Each model has a verdict of its own "
        "in its record.",
    )


def _section(title: str, verdicts: Iterable[AnyVerdict]) -> str:
    """A section with the table of these verdicts."""
    rows = [
        (str(each.exit_code), code(each.word), each.meaning, "can help" if _retry(each) else "")
        for each in verdicts
    ]
    return f"## {title}\n\n" + table(("exit", "verdict", "meaning", "retry"), rows)


def _retry(verdict: AnyVerdict) -> bool:
    """Whether another attempt can succeed although nothing is changed.

    A command that exceeded its deadline is not repeated by itself, but a caller can repeat it.
    """
    kinds = (_subclasses(Transient) | {TournamentUnavailable, DeadlinePassed}) - {Transient}
    return any(kind.verdict is verdict for kind in kinds)


def _subclasses(kind: type[RunError]) -> set[type[RunError]]:
    return {kind}.union(*(_subclasses(each) for each in kind.__subclasses__()))
