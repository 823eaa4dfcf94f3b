"""Directories that preloaded libraries looked up for the worker; each model gets its own.

Matplotlib, Keras, Numba and others look up their directory (MPLCONFIGDIR, KERAS_HOME, HOME ...)
when they are imported and keep it. A model may not write to a directory of the worker. So the
worker looks for its directory in what the libraries keep, and each model process replaces it by its
own.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from types import CellType, FunctionType, ModuleType
from typing import Any

_LruCache = type(functools.lru_cache(lambda: None))


@dataclass(frozen=True)
class _Kept:
    """A directory that a library keeps, and how to replace it."""

    value: str | PurePath
    replace: Callable[[Any], object]


class InheritedFolders:
    """The directories at and below `folder` that the imported modules keep.

    They are found in global variables, attributes of classes and closures. Caches of functions
    (functools.cache) that hold one are cleared, and those that are bounded.
    """

    def __init__(self, folder: str, modules: Iterable[ModuleType] | None = None) -> None:
        self._folder = folder
        found = list(sys.modules.values()) if modules is None else modules
        self._kept = [kept for module in found for kept in self._of_module(module)]

    def move_to(self, folder: str) -> None:
        """Have the libraries of this process use `folder`."""
        for kept in self._kept:
            moved = folder + str(kept.value)[len(self._folder) :]
            with contextlib.suppress(Exception):  # a class may refuse new attributes
                kept.replace(type(kept.value)(moved))

    def _of_module(self, module: ModuleType) -> Iterator[_Kept]:
        try:
            variables = vars(module)
        except TypeError:  # something else in sys.modules
            return
        for name, value in list(variables.items()):
            if self._is_below(value):
                yield _Kept(value, functools.partial(variables.__setitem__, name))
            elif isinstance(value, FunctionType):
                yield from self._of_function(value)
            elif isinstance(value, _LruCache):
                self._clear(value)
            elif isinstance(value, type) and value.__module__ == module.__name__:
                yield from self._of_class(value)

    def _of_function(self, function: FunctionType) -> Iterator[_Kept]:
        for cell in function.__closure__ or ():
            with contextlib.suppress(ValueError):  # an empty cell
                if self._is_below(cell.cell_contents):
                    yield _Kept(cell.cell_contents, functools.partial(_set_cell, cell))

    def _of_class(self, owner: type) -> Iterator[_Kept]:
        for name, value in list(vars(owner).items()):
            if self._is_below(value):
                yield _Kept(value, functools.partial(setattr, owner, name))

    def _clear(self, cache: Any) -> None:
        """Clear a cache that holds a directory, and every bounded cache: it may forget a value."""
        held = [value for part in gc.get_referents(cache) for value in _values(part)]
        if cache.cache_info().maxsize is not None or any(map(self._is_below, held)):
            cache.cache_clear()

    def _is_below(self, value: object) -> bool:
        if not isinstance(value, str | PurePath):
            return False
        text = str(value)
        return text == self._folder or text.startswith(f"{self._folder}/")


def _set_cell(cell: CellType, value: object) -> None:
    cell.cell_contents = value


def _values(part: object) -> list[object]:
    return list(part.values()) if isinstance(part, dict) else []
