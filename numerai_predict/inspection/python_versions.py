"""Which Pythons a pickle's functions are legal for: all of its code, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numerai_predict.inspection import bytecode
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.opcode_tables import Table, tables
from numerai_predict.inspection.stack_effects import has_consistent_stack


@dataclass(frozen=True)
class Pythons:
    """The Pythons for which all code of a pickle is legal.

    `legal` is `None` where there is no code that could tell, and empty where no Python
    takes all of it: `corrupt` then says of which function no Python takes it, or, if
    that is `None`, `mixed` names the Pythons that each take a part.
    """

    legal: tuple[str, ...] | None
    corrupt: str | None = None
    mixed: tuple[str, ...] = ()

    def exclude(self, python: str) -> bool:
        """Whether it is certain that this Python must not run the pickle."""
        return self.legal is not None and python not in self.legal

    def __str__(self) -> str:
        if self.legal is None:
            return "unknown: there is no function's code in it that tells"
        if self.corrupt:
            return f"none: {self.corrupt}"
        if not self.legal:
            return f"none: its functions are of {join_words(self.mixed, 'and')} together"
        if len(self.legal) == 1:
            return self.legal[0]
        return f"{join_words(self.legal, 'or')}: its code is the same for all of them"


def legal_pythons(codes: Iterable[Code]) -> Pythons:
    """The Pythons for which all of these code objects are legal."""
    legal: set[str] | None = None
    seen: set[str] = set()
    for code in codes:
        if not code.complete:
            continue
        faults = {table: bytecode.find_fault(code, table) for table in tables()}
        own = _legal_for(code, faults)
        if not own:
            return Pythons((), corrupt=_corruption(code, faults))
        seen |= own
        legal = own if legal is None else legal & own
    ordered = [table.python for table in tables()]
    if legal is None:
        return Pythons(None)
    mixed = () if legal else tuple(python for python in ordered if python in seen)
    return Pythons(tuple(python for python in ordered if python in legal), mixed=mixed)


def runtime_imports(code: Code) -> list[str]:
    """The modules that the function imports when it runs; nothing if no Python takes it."""
    if not code.complete:
        return []
    table = next((table for table in tables() if bytecode.find_fault(code, table) is None), None)
    return bytecode.imported_modules(code, table) if table else []


def _legal_for(code: Code, faults: dict[Table, str | None]) -> set[str]:
    """The Pythons that find no fault; of several, those that keep their stack in order."""
    fitting = [table for table, fault in faults.items() if fault is None]
    if len(fitting) > 1 and not code.fault:
        fitting = [table for table in fitting if has_consistent_stack(code, table)] or fitting
    return {table.python for table in fitting}


def _corruption(code: Code, faults: dict[Table, str | None]) -> str:
    """What is wrong, as the Pythons see it that take as many fields."""
    fault = next((words for table, words in faults.items() if code.fits(table.version)), None)
    oldest, newest = tables()[0].python, tables()[-1].python
    return (
        f"the code of {code.name} is legal for no CPython from {oldest} to {newest} "
        f"({code.fault or fault})"
    )


def join_words(words: Sequence[str], last: str) -> str:
    """Words in a sentence: `a, b or c`."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final
