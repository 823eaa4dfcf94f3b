"""Selection of eras."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerai_predict.contract.errors import DatasetUnavailable

_EVERY = re.compile(r"every:(\d{1,6})")
_RANGE = re.compile(r"(\d{1,6})?-(\d{1,6})?")
_REMEDY = "choose `all`, `every:4` for every 4th, or a range like `0001-0100`, `0500-` or `-0200`"


def era_name(number: int) -> str:
    """The name of an era as the tournament's files have it: at least four digits."""
    return f"{number:04d}"


@dataclass(frozen=True)
class Eras:
    """A selection: every `step`-th era, or those from `first` to `last`, inclusive.

    Eras are numbers as text, like `0001`. Live data have the era `X`, which a `step` may select
    and a range never does.
    """

    step: int = 1
    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, text: str) -> Eras:
        """Parse `all`, `every:4`, `0001-0100`, `0500-` or `-0200`.

        Raises:
            DatasetUnavailable: the text is none of these.
        """
        if text == "all":
            return cls()
        if (every := _EVERY.fullmatch(text)) and int(every[1]) > 0:
            return cls(step=int(every[1]))
        span = _RANGE.fullmatch(text)
        if span and (span[1] or span[2]):
            first, last = (int(end) if end else None for end in span.groups())
            if first is None or last is None or first <= last:
                return cls(first=first, last=last)
        raise DatasetUnavailable(f"expected eras, found {text!r}", _REMEDY)

    def choose(self, present: Sequence[str]) -> list[str]:
        """The selected ones of the distinct eras `present`, in their order.

        Raises:
            DatasetUnavailable: no era is selected.
        """
        if self.first is None and self.last is None:
            return list(present[:: self.step])
        low = 0 if self.first is None else self.first
        high = np.inf if self.last is None else self.last
        chosen = [era for era in present if era.isdecimal() and low <= int(era) <= high]
        if not chosen:
            span = f"{present[0]} to {present[-1]}" if present else "none"
            raise DatasetUnavailable(
                f"expected eras from {self.first or 'the first'} to {self.last or 'the last'}, "
                f"found {span} in the file",
                "choose a range that the file has",
            )
        return chosen

    def mask(self, eras: NDArray[np.str_]) -> NDArray[np.bool_]:
        """The mask of selected rows, shape (rows,); `eras` is the era of each row.

        Raises:
            DatasetUnavailable: no row is selected.
        """
        present, first_rows = np.unique(eras, return_index=True)
        in_order = [str(era) for era in present[np.argsort(first_rows)]]
        return np.isin(eras, self.choose(in_order))
