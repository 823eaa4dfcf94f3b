"""The Python versions for which all code objects of a pickle are legal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numerai_predict.contract.foreign_text import inert
from numerai_predict.inspection.bytecode import verifier
from numerai_predict.inspection.bytecode.opcode_tables import Table, tables
from numerai_predict.inspection.bytecode.stack_effects import has_consistent_stack
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.limits import TimeLimit


@dataclass(frozen=True)
class Pythons:
    """The Python versions, like `3.12`, for which all code of a pickle is legal.

    `legal` is `None` if the pickle has no code objects to determine it from. It is empty if
    no Python accepts all of them: then `corrupt` names a function that no Python accepts, or,
    if that is `None`, `mixed` has the versions that accept some of the functions.
    """

    legal: tuple[str, ...] | None
    corrupt: str | None = None
    mixed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make the function's name bounded and printable."""
        object.__setattr__(self, "corrupt", inert(self.corrupt))

    def exclude(self, python: str) -> bool:
        """Whether it is certain that this Python cannot run the pickle."""
        return self.legal is not None and python not in self.legal

    def __str__(self) -> str:
        if self.legal is None:
            return "unknown: it contains no function code"
        if self.corrupt:
            return f"none: {self.corrupt}"
        if not self.legal:
            return f"none: it mixes functions of Python {join_words(self.mixed, 'and')}"
        if len(self.legal) == 1:
            return self.legal[0]
        return f"{join_words(self.legal, 'or')} (its code is legal for each of them)"


@dataclass(frozen=True)
class CheckedCode:
    """A code object with the fault that each Python finds in it, `None` if it finds none."""

    code: Code
    faults: dict[Table, str | None]
    legal: frozenset[str]

    @property
    def table(self) -> Table | None:
        """The opcode table of the first Python that accepts it; `None` if no Python does."""
        return next((table for table, fault in self.faults.items() if fault is None), None)


def check_code(code: Code, limit: TimeLimit) -> CheckedCode:
    """Check a code object against every Python; `code` is complete.

    Raises:
        TimeLimitExceeded: the time limit was exceeded before the end.
    """
    faults: dict[Table, str | None] = {}
    for table in tables():
        limit.check()
        faults[table] = verifier.find_fault(code, table)
    return CheckedCode(code, faults, _legal_for(code, faults, limit))


def legal_pythons(checked: Iterable[CheckedCode]) -> Pythons:
    """Determine the Python versions for which all of these code objects are legal."""
    legal: frozenset[str] | None = None
    accepting: frozenset[str] = frozenset()
    for each in checked:
        if not each.legal:
            return Pythons((), corrupt=_corruption(each.code, each.faults))
        accepting |= each.legal
        legal = each.legal if legal is None else legal & each.legal
    ordered = [table.python for table in tables()]
    if legal is None:
        return Pythons(None)
    mixed = () if legal else tuple(python for python in ordered if python in accepting)
    return Pythons(tuple(python for python in ordered if python in legal), mixed=mixed)


def _legal_for(code: Code, faults: dict[Table, str | None], limit: TimeLimit) -> frozenset[str]:
    """The Pythons that find no fault; of several, those with consistent stack depths."""
    fitting = [table for table, fault in faults.items() if fault is None]
    if len(fitting) > 1 and not code.fault:
        consistent = []
        for table in fitting:
            limit.check()
            if has_consistent_stack(code, table):
                consistent.append(table)
        fitting = consistent or fitting
    return frozenset(table.python for table in fitting)


def _corruption(code: Code, faults: dict[Table, str | None]) -> str:
    """The fault, as found by the Pythons whose code objects have this number of fields."""
    fault = next((text for table, text in faults.items() if code.fits(table.version)), None)
    oldest, newest = tables()[0].python, tables()[-1].python
    return (
        f"the code of {code.name} is legal for no CPython from {oldest} to {newest} "
        f"({code.fault or fault})"
    )


def join_words(items: Sequence[str], conjunction: str) -> str:
    """Join words as in a sentence: `a, b or c`."""
    *others, final = items
    return f"{', '.join(others)} {conjunction} {final}" if others else final
