"""Standard streams for a program whose caller closed some of them."""

from __future__ import annotations

import os
import sys


def open_standard_streams() -> None:
    """Open descriptors 0 to 2 if the caller closed them: no file or pipe of a run may use them.

    What is written to such a stream is lost, as the caller wants it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, encoding="utf-8"))  # noqa: SIM115 - until the end
