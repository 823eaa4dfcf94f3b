"""Writes the files of a report: all or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import part_beside


def write_together(texts: Mapping[Path, str]) -> None:
    """Write files of one directory: all are complete before the first gets its name.

    Raises:
        SaveFailed: they cannot be written.
    """
    names = " and ".join(path.name for path in texts)
    try:
        with ExitStack() as stack:
            parts = {path: stack.enter_context(part_beside(path)) for path in texts}
            for path, part in parts.items():
                with open(part, "wb") as handle:
                    handle.write(texts[path].encode())
                    handle.flush()
                    os.fsync(handle.fileno())
            for path, part in parts.items():
                part.replace(path)
    except OSError as error:
        directory = next(iter(texts)).parent
        raise SaveFailed(
            f"expected to write {names} to {directory}, found: {error.strerror}",
            "free disk space there, or choose another --output-dir",
        ) from error
    log_step("save", " and ".join(map(str, texts)))
