"""Inspect a pickle: static analysis of its opcodes and code objects, without unpickling it."""

from __future__ import annotations

import lzma
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numerai_predict.contract.foreign_text import MAX_NAME_CHARACTERS, inert
from numerai_predict.inspection.byte_window import open_window
from numerai_predict.inspection.capabilities import capabilities
from numerai_predict.inspection.collector import InspectionCollector
from numerai_predict.inspection.file_type import invalid_pickle
from numerai_predict.inspection.opcodes import OPERATIONS
from numerai_predict.inspection.pickle_vm import InspectionLimitExceeded, InvalidOpcodes, PickleVM
from numerai_predict.inspection.placeholders import UNKNOWN
from numerai_predict.inspection.python_versions import Pythons, legal_pythons, runtime_imports
from numerai_predict.inspection.signature import CallableSummary, describe_callable

DEFAULT_SECONDS = 10.0
_CORRUPT_FILE_ERRORS = (EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Inspection:
    """The results of the static analysis of one pickle.

    `size` is in bytes. `holds` describes the pickled object. `functions` counts the code
    objects. `references` are the modules that unpickling imports, `imports` the modules that
    functions import when they run, with the function's name as value. `main_names` are the
    names that unpickling takes from `__main__`, the module of the user's script. `versions`
    has the version of a library by import name. `abilities` lists, for information, what
    gives the code access to the network, files or processes. `partial` says what was not
    inspected if the pickle exceeds a limit, else it is `None`.
    """

    path: str
    size: int
    holds: CallableSummary
    pythons: Pythons
    functions: int
    references: tuple[str, ...]
    main_names: tuple[str, ...]
    imports: dict[str, str]
    versions: dict[str, str]
    features: tuple[str, ...]
    data_versions: tuple[str, ...]
    abilities: dict[str, list[str]]
    partial: str | None = None

    def __post_init__(self) -> None:
        """Make the texts from the pickle bounded and printable."""
        for name in _FOREIGN_FIELDS:
            value = inert(getattr(self, name), MAX_NAME_CHARACTERS)
            object.__setattr__(self, name, value)


_FOREIGN_FIELDS = (
    "references",
    "main_names",
    "imports",
    "versions",
    "features",
    "data_versions",
    "abilities",
    "partial",
)


def inspect_pickle(path: str | os.PathLike[str], seconds: float = DEFAULT_SECONDS) -> Inspection:
    """Inspect a pickle, plain or compressed as its suffix says, for at most `seconds`.

    Runs and imports nothing from the pickle, and does not read payloads.

    Raises:
        InvalidPickle: the file is not a pickle, or it is truncated or corrupt.
        OSError: the file cannot be read.
    """
    path = os.fspath(path)
    collector, partial = InspectionCollector(), None
    try:
        with open_window(path) as window:
            root = PickleVM(window, OPERATIONS, collector, seconds).run()
    except InspectionLimitExceeded as exceeded:
        root, partial = UNKNOWN, str(exceeded)
    except InvalidOpcodes as error:
        raise invalid_pickle(Path(path), str(error)) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise invalid_pickle(Path(path), str(error)) from None  # gzip.BadGzipFile
    except _CORRUPT_FILE_ERRORS as error:
        raise invalid_pickle(Path(path), f"{type(error).__name__}: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # zstandard is imported only if needed
            raise
        raise invalid_pickle(Path(path), f"{type(error).__name__}: {error}") from None
    return _build_inspection(path, collector, root, partial)


def _build_inspection(
    path: str, collector: InspectionCollector, root: Any, partial: str | None
) -> Inspection:
    imports: dict[str, str] = {}
    looked_up: set[str] = set()
    for code in collector.codes:
        for module in runtime_imports(code):
            imports.setdefault(module, code.name)
        looked_up.update(code.fields.get("names", ()) if code.complete and not code.fault else ())
    references = {name.module: None for name in collector.names} | collector.modules
    references.pop("__main__", None)
    return Inspection(
        path=path,
        size=Path(path).stat().st_size,
        holds=describe_callable(root),
        pythons=legal_pythons(collector.codes),
        functions=len(collector.codes),
        references=tuple(references),
        main_names=tuple(each.name for each in collector.names if each.module == "__main__"),
        imports=imports,
        versions={**_numpy_version(references), **collector.versions},
        features=tuple(collector.features),
        data_versions=tuple(collector.data_versions),
        abilities=capabilities([*references, *imports], map(str, collector.names), looked_up),
        partial=partial,
    )


def _numpy_version(references: dict[str, None]) -> dict[str, str]:
    """The major version of numpy: `numpy._core` is a module of numpy 2, `numpy.core` of 1."""
    submodules = {module.split(".")[1] for module in references if module.startswith("numpy.")}
    if "_core" in submodules:
        return {"numpy": "2"}
    return {"numpy": "1"} if "core" in submodules else {}
