"""Predicts with the engine where it can and is faster, and with the library otherwise."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from numerai_predict.acceleration.cost import Size, engine_is_faster
from numerai_predict.acceleration.engine import Forest, library
from numerai_predict.acceleration.tables import NotSupported, NumericTable
from numerai_predict.acceleration.usage import Usage, Used
from numerai_predict.acceleration.verification import require_equal, sample_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


_T = TypeVar("_T")


@dataclass
class BoosterState:
    """What is known of one booster.

    `text` is its serialised form, `forests` what was read from it, by the options of the call;
    `refused` is why the engine may not predict it.
    """

    text: Any = None
    forests: dict[Hashable, Forest] = field(default_factory=dict)
    refused: str = ""

    def refusing(self, step: Callable[[], _T]) -> _T:
        """The result of a step; where the engine cannot do it, it never tries this model again."""
        try:
            return step()
        except NotSupported as reason:
            self.refused = str(reason)
            self.forests.clear()
            self.text = None
            raise


@dataclass(frozen=True)
class TreeCall:
    """One call of a library's prediction, as its adapter understood it.

    `key` are the options that decide which trees to read; `read` makes the forest, `shape` gives
    the engine's result of shape (rows, outputs) the library's shape, `library` is the library's
    own prediction of the rows of these numbers. `trees` is their number, `levels` how many a row
    goes down in one; `read` takes about `read_seconds`.
    """

    name: str
    booster: Any
    key: Hashable
    threads: int
    trees: int
    levels: float
    read_seconds: float
    read: Callable[[], Forest]
    table: NumericTable
    shape: Callable[[NDArray[Any]], NDArray[Any]]
    library: Callable[[NDArray[Any]], Any]


class Accelerator:
    """The engine's part in one process; `usage` is what has predicted so far."""

    def __init__(self) -> None:
        self.usage = Usage()
        self._states: dict[int, BoosterState] = {}

    def state(self, booster: Any) -> BoosterState:
        """The state of a booster; it is dropped together with the booster."""
        number = id(booster)
        known = self._states.get(number)
        if known is None:
            known = self._states[number] = BoosterState()
            weakref.finalize(booster, self._states.pop, number, None).atexit = False
        return known

    def forget(self, booster: Any) -> None:
        """Drop what was read from a booster: it changes."""
        self._states.pop(id(booster), None)

    def forget_before(self, booster_class: Any, methods: Sequence[str]) -> None:
        """Have methods that change a booster drop what was read from it."""
        for name in methods:
            if hasattr(booster_class, name):
                setattr(booster_class, name, self._forgetting(getattr(booster_class, name)))

    def _forgetting(self, method: Any) -> Any:
        @functools.wraps(method)
        def change(booster: Any, *args: Any, **kwargs: Any) -> Any:
            self.forget(booster)
            try:
                return method(booster, *args, **kwargs)
            finally:
                self.forget(booster)

        return change

    def predict(
        self, name: str, understand: Callable[[], TreeCall], library_call: Callable[[], Any]
    ) -> Any:
        """The prediction of a call; whatever hinders the engine, the library predicts.

        Args:
            name: the library.
            understand: makes the call; raises `NotSupported` where it cannot.
            library_call: the original call.
        """
        try:
            if library() is None:
                self.usage.add(Used.LIBRARY, name, "the engine is not built")
            else:
                return self._predict(understand())
        except NotSupported as reason:
            self.usage.add(Used.FALLBACK, name, str(reason))
        except _LibraryIsFaster as reason:
            self.usage.add(Used.LIBRARY, name, str(reason))
        except Exception as error:  # a model runs without the engine as well
            self.usage.add(Used.FALLBACK, name, f"{type(error).__name__} in the engine")
        return library_call()

    def _predict(self, call: TreeCall) -> NDArray[Any]:
        state = self.state(call.booster)
        if state.refused:
            raise NotSupported(state.refused)
        table = call.table
        forest = state.forests.get(call.key)
        first_call = forest is None
        seconds = call.read_seconds if first_call else 0.0
        size = Size(table.rows, table.columns, call.trees, call.levels, seconds)
        if not engine_is_faster(size):
            raise _LibraryIsFaster(f"estimated faster for {table.rows:,} rows")
        if forest is None:
            forest = state.refusing(call.read)
        found = call.shape(forest.predict(table, call.threads))
        rows = sample_rows(forest, table, first_call=first_call)

        state.refusing(lambda: require_equal(found, rows, call.library))
        state.forests[call.key] = forest
        if first_call:
            equal = f"{forest.trees:,} trees, {len(rows)} rows equal to the library's"
            self.usage.add(Used.ENGINE, call.name, equal)
        return found


class _LibraryIsFaster(Exception):
    """The library is estimated to take less time; the message says so."""
