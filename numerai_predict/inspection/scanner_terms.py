"""The imports of a pickle in the terms of two pickle scanners, for information only.

`data/scanners.json` holds the rules of picklescan (module `scanner`) and of fickling (modules
`fickle` and `analysis`), each with the version that they were taken from. Both scanners judge the
file; this module repeats their terms only. A function pickled by cloudpickle always has imports
that picklescan calls dangerous.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from numerai_predict.inspection.placeholders import Global

_FILE = files("numerai_predict.inspection") / "data/scanners.json"
_MAX_PARTS = 8  # of a module's name; the longest rule has 6


def scanner_terms(imported: Iterable[Global]) -> dict[str, list[str]]:
    """The sorted names below each term: `{"picklescan dangerous": ["builtins.eval"]}`."""
    found: dict[str, set[str]] = {}
    for name in imported:
        found.setdefault(f"picklescan {_picklescan_level(name)}", set()).add(str(name))
        if _is_unsafe_for_fickling(name):
            found.setdefault("fickling unsafe import", set()).add(str(name))
    return {term: sorted(names) for term, names in sorted(found.items())}


@functools.cache
def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(_FILE.read_text())
    return rules


def _picklescan_level(name: Global) -> str:
    rules = _rules()["picklescan"]
    if "unknown" in name.module or "unknown" in name.name:
        return "dangerous"
    names = rules["dangerous"].get(name.module)
    if names is None and any(
        rules["dangerous"].get(each) == "*" for each in _prefixes(name.module)
    ):
        names = "*"
    if names == "*" or name.name in (names or ()):
        return "dangerous"
    return "innocuous" if name.name in rules["innocuous"].get(name.module, ()) else "suspicious"


def _is_unsafe_for_fickling(name: Global) -> bool:
    rules = _rules()["fickling"]
    if name.module == "builtins":
        return name.name not in rules["safe_builtins"]
    return (
        not {*name.module.split("."), *name.name.split(".")}.isdisjoint(rules["unsafe_modules"])
        or any(each in rules["unsafe_submodules"] for each in _prefixes(name.module))
        or name.name in rules["unsafe_names"].get(name.module, ())
    )


def _prefixes(module: str) -> Iterable[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`, as far as any rule goes: a hostile name has more parts."""
    parts = module.split(".", _MAX_PARTS)[:_MAX_PARTS]
    return itertools.accumulate(parts, "{}.{}".format)
