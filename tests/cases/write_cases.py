"""Writes the files of cases that this Python can make: python write_cases.py DIRECTORY [NAME ...].

Prints the names of those that need a module that is not there, one a line.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import call_signatures
import cloudpickle
import library_use
import machine_processes
import machine_settings
import machine_threads
import machine_use
import pickled_forms
import returned_frames
from case_table import Case

MODULES = (
    returned_frames,
    call_signatures,
    pickled_forms,
    machine_use,
    machine_processes,
    machine_settings,
    machine_threads,
    library_use,
)
CASES: dict[str, Case] = {
    name: case for module in MODULES for name, case in module.TABLE.cases.items()
}
assert len(CASES) == sum(len(module.TABLE.cases) for module in MODULES), "a name is used twice"


EVERY_CASE = "NUMERAI_PREDICT_EVERY_CASE"
_STEP = 1 if os.environ.get(EVERY_CASE) else 6
# The names of the cases to test: each sixth, because all take half an hour; `make test_published`
# sets the variable and tests all.
TESTED = list(CASES)[::_STEP]


def missing_modules(case: Case) -> list[str]:
    """The modules that a case needs and this Python does not have."""
    return [name for name in case.modules if importlib.util.find_spec(name) is None]


def content(case: Case) -> bytes:
    """The bytes of a case's file."""
    made = case.make()
    return made if case.is_file else cloudpickle.dumps(made, protocol=case.protocol)


def selected_names(session: Any) -> list[str]:
    """The names of the cases that the selected tests of a session of pytest are about."""
    parameters = (getattr(item, "callspec", None) for item in session.items)
    chosen = {found.params.get("name") for found in parameters if found is not None}
    return [name for name in CASES if name in chosen]


def write(folder: Path, names: Sequence[str]) -> list[str]:
    """Write the files; the names of the cases that cannot be made here."""
    for module in MODULES:
        cloudpickle.register_pickle_by_value(module)
    try:
        missing = [name for name in names if missing_modules(CASES[name])]
        for name in set(names) - set(missing):
            (folder / CASES[name].file_name).write_bytes(content(CASES[name]))
    finally:
        for module in MODULES:
            cloudpickle.unregister_pickle_by_value(module)
    return missing


if __name__ == "__main__":
    print("\n".join(write(Path(sys.argv[1]), sys.argv[2:] or list(CASES))))
