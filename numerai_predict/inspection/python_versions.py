"""The Python versions for which all code objects of a pickle are legal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numerai_predict.contract.foreign_text import inert
from numerai_predict.inspection import bytecode
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.opcode_tables import Table, tables
from numerai_predict.inspection.stack_effects import has_consistent_stack


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


def legal_pythons(codes: Iterable[Code]) -> Pythons:
    """Determine the Python versions for which all of these code objects are legal."""
    legal: set[str] | None = None
    accepting: set[str] = set()
    for code in codes:
        if not code.complete:
            continue
        faults = {table: bytecode.find_fault(code, table) for table in tables()}
        legal_for_code = _legal_for(code, faults)
        if not legal_for_code:
            return Pythons((), corrupt=_corruption(code, faults))
        accepting |= legal_for_code
        legal = legal_for_code if legal is None else legal & legal_for_code
    ordered = [table.python for table in tables()]
    if legal is None:
        return Pythons(None)
    mixed = () if legal else tuple(python for python in ordered if python in accepting)
    return Pythons(tuple(python for python in ordered if python in legal), mixed=mixed)


def runtime_imports(code: Code) -> list[str]:
    """The modules that the function imports when it runs; none if no Python accepts it."""
    if not code.complete:
        return []
    table = next((table for table in tables() if bytecode.find_fault(code, table) is None), None)
    return bytecode.imported_modules(code, table) if table else []


def _legal_for(code: Code, faults: dict[Table, str | None]) -> set[str]:
    """The Pythons that find no fault; of several, those with consistent stack depths."""
    fitting = [table for table, fault in faults.items() if fault is None]
    if len(fitting) > 1 and not code.fault:
        fitting = [table for table in fitting if has_consistent_stack(code, table)] or fitting
    return {table.python for table in fitting}


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
