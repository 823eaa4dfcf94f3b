"""Write the opcode tables of each Python, from the interpreters' own modules.

    python generate/pythons.py [PYTHON ..]    write them into the package
    python generate/pythons.py --print        print the table of this interpreter

Each PYTHON is an interpreter (a path or a command); the default is every python3.8 to
python3.14 that is installed. The entries of other Pythons are kept. `--print` prints the table
of the interpreter that runs this, `--merge` takes printed tables from standard input: the two
serve a Python that only its base image has (`images/python 3.14 -I generate/pythons.py --print`).

This module runs on every Python from 3.8 on and imports nothing else of ours: each
interpreter executes this file.
"""

from __future__ import annotations

import json
import opcode
import re
import shutil
import subprocess
import sys
from pathlib import Path

TABLES = Path(__file__).parents[1] / "numerai_predict/inspection/data/pythons.json"
BANNER = "Made by 'make python_tables' from the interpreters themselves: do not edit."

# Only the interpreter's loop uses these; no compiler emits them.
_INTERNAL = {"CACHE", "RESERVED", "ENTER_EXECUTOR", "INTERPRETER_EXIT", "<0>"}
_FIRST_PSEUDO_OPCODE = 256
_PYTHONS = [f"3.{minor}" for minor in range(8, 15)]

# What the `opcode` modules do not contain, by the first Python for which it holds: how many
# low bits of an argument are flags, and how many values an argument can have.
_FLAG_BITS = {
    "LOAD_GLOBAL": {(3, 11): 1},
    "LOAD_ATTR": {(3, 12): 1},
    "LOAD_SUPER_ATTR": {(3, 12): 2},
    "COMPARE_OP": {(3, 12): 4, (3, 13): 5},
}
_VALUES = {
    "IS_OP": {(3, 9): 2},
    "CONTAINS_OP": {(3, 9): 2},
    "RAISE_VARARGS": {(3, 8): 3},
    "GEN_START": {(3, 10): 3},
    "LOAD_COMMON_CONSTANT": {(3, 14): 5},
    "LOAD_SPECIAL": {(3, 14): 4},
    "LOAD_SMALL_INT": {(3, 14): 256},
}
_PAIRS_OF_LOCALS = "_FAST_LOAD_FAST", "_FAST_STORE_FAST", "_BORROW_LOAD_FAST_BORROW"


def table() -> dict[str, object]:
    """The table of the running interpreter: properties by name of opcode."""
    entries = {
        name: _entry(name, number)
        for name, number in sorted(opcode.opmap.items(), key=lambda item: item[1])
        if number < _FIRST_PSEUDO_OPCODE
        and name not in _INTERNAL
        and not name.startswith("INSTRUMENTED_")
    }
    # Before 3.10 the argument of a jump counts bytes, since then instructions.
    jump_unit = 2 if sys.version_info >= (3, 10) else 1
    modules = " ".join(sorted(getattr(sys, "stdlib_module_names", ())))
    return {"jump_unit": jump_unit, "standard_library": modules, "opcodes": entries}


def _entry(name: str, number: int) -> dict[str, object]:
    properties = {
        "number": number,
        "argument": _argument(name, number),
        "cache": _cache(name, number),
        "flag_bits": _since(_FLAG_BITS, name),
        "values": _values(name, number),
        "effect": _effect(number, jump=False),
        "jump_effect": _effect(number, jump=True) if "jump" in _argument(name, number) else 0,
    }
    return {key: value for key, value in properties.items() if value}


def _effect(number: int, jump: bool) -> int | list[int]:
    """The stack effect of the instruction.

    One number, two where each step of the argument adds the same, or one for each of
    the first sixteen arguments.
    """
    if not _has_argument(number):
        return opcode.stack_effect(number, jump=jump)
    effects = []
    for argument in range(16):
        try:
            effects.append(opcode.stack_effect(number, argument, jump=jump))
        except ValueError:
            effects.append(0)
    if len(set(effects)) == 1:
        return effects[0]
    step = effects[1] - effects[0]
    return effects[:2] if effects == [effects[0] + step * n for n in range(16)] else effects


def _argument(name: str, number: int) -> str:
    """What the argument means; empty where the opcode takes none."""
    if number in getattr(opcode, "hasjabs", ()):
        return "absolute jump"
    if number in opcode.hasjrel:
        return "backward jump" if "BACKWARD" in name else "forward jump"
    if number in opcode.hasconst:
        return "constant"
    if number in opcode.hasname:
        return "name"
    if name == "COPY_FREE_VARS":
        return "number of free variables"
    if number in opcode.hasfree:
        return "cell"
    if any(name.endswith(suffix) for suffix in _PAIRS_OF_LOCALS):
        return "two locals"
    if number in opcode.haslocal:
        return "local"
    return "number" if _has_argument(number) else ""


def _has_argument(number: int) -> bool:
    if hasattr(opcode, "hasarg"):
        return number in opcode.hasarg
    return number >= opcode.HAVE_ARGUMENT


def _cache(name: str, number: int) -> int:
    """Number of inline cache entries, of two bytes each, after the instruction."""
    caches = getattr(opcode, "_inline_cache_entries", {})
    return int(caches.get(name, 0) if isinstance(caches, dict) else caches[number])


def _since(values: dict[str, dict[tuple[int, int], int]], name: str) -> int:
    """The value for this interpreter: that of the newest Python up to it."""
    known = list(values.get(name, {}).items())
    return max((pair for pair in known if pair[0] <= sys.version_info[:2]), default=((0, 0), 0))[1]


def _values(name: str, number: int) -> int:
    """How many values the argument can have; zero where that depends on the code."""
    if number in getattr(opcode, "hascompare", ()):
        return len(opcode.cmp_op)
    if name == "BINARY_OP":
        return len(getattr(opcode, "_nb_ops", ()))
    if name.startswith("CALL_INTRINSIC_"):
        return len(getattr(opcode, f"_intrinsic_{name[-1]}_descs"))
    return _since(_VALUES, name)


def _version() -> str:
    return "{}.{}".format(*sys.version_info)


def main(arguments: list[str]) -> None:
    """Merge the interpreters' tables into the data of the package."""
    if arguments == ["--print"]:
        print(json.dumps({_version(): table()}))
        return
    tables = json.loads(TABLES.read_text()) if TABLES.exists() else {}
    if arguments == ["--merge"]:
        tables.update(json.load(sys.stdin))
        TABLES.write_text(as_text(tables))
        return
    for python in arguments or [
        f"python{version}" for version in _PYTHONS if shutil.which(f"python{version}")
    ]:
        command = [python, "-I", __file__, "--print"]
        printed = subprocess.run(command, check=bool(arguments), capture_output=True, text=True)
        if printed.returncode == 0:
            tables.update(json.loads(printed.stdout))
            print(f"wrote the table of {python}")
    TABLES.write_text(as_text(tables))


def as_text(tables: dict[str, object]) -> str:
    """The tables as JSON with one opcode per line, for readable diffs."""
    tables = {"//": BANNER, **{key: tables[key] for key in sorted(tables, key=_order)}}
    text = json.dumps(tables, indent=1)
    return re.sub(r"\n {4,}| *\n {3}(?=[}])", " ", text) + "\n"


def _order(version: str) -> list[int]:
    return [int(part) for part in version.split(".")] if version != "//" else []


if __name__ == "__main__":
    main(sys.argv[1:])
