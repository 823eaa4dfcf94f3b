"""The imports of a pickle: those of unpickling it, and those of its functions when they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from numerai_predict.inspection.bytecode.instructions import instructions
from numerai_predict.inspection.bytecode.opcode_tables import Table
from numerai_predict.inspection.code_objects import Code
from numerai_predict.inspection.placeholders import Global
from numerai_predict.inspection.python_versions import CheckedCode

_MAIN = "__main__"


def unpickling_imports(names: Iterable[Global], modules: Mapping[str, None]) -> tuple[str, ...]:
    """The modules that unpickling imports, by the names it takes from them or as a whole."""
    found = dict.fromkeys(name.module for name in names) | dict(modules)
    return tuple(module for module in found if module != _MAIN)


def names_of_main(names: Iterable[Global]) -> tuple[str, ...]:
    """The names that unpickling takes from `__main__`, which a run does not have."""
    return tuple(name.name for name in names if name.module == _MAIN)


def function_imports(functions: Iterable[CheckedCode]) -> dict[str, str]:
    """The modules that functions import when they run, each with the first function's name."""
    imports: dict[str, str] = {}
    for function in functions:
        if function.table is not None:  # otherwise no Python can run it
            for module in imported_modules(function.code, function.table):
                imports.setdefault(module, function.code.name)
    return imports


def imported_modules(code: Code, table: Table) -> list[str]:
    """The modules that the code imports when it runs.

    Raises:
        Illegal: the code is not legal for the table's Python.
    """
    names = code.fields["names"]
    return [
        names[instruction.argument]
        for instruction in instructions(code.fields["code"], table)
        if instruction.opcode.name == "IMPORT_NAME"
    ]
