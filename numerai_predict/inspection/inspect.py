"""The inspection of a pickle: everything that it says about itself, without unpickling it."""

from __future__ import annotations

import lzma
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
_BROKEN_FILE = (EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Inspection:
    """What a pickle says about itself.

    `references` are the modules that unpickling it imports, `imports` those that its
    functions import when they run, by function; `names` what it takes from `__main__`,
    where a script's own definitions would be. `versions` are by import name.
    `abilities` names, for information, what gives its code access to the network and
    the like. `partial` says what was not looked at, where the pickle is too long.
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


def inspect_pickle(path: str | os.PathLike[str], seconds: float = DEFAULT_SECONDS) -> Inspection:
    """Inspect a pickle, plain or compressed as its name says, for at most that long.

    Nothing in it is run, imported or looked up; a payload is not even read.

    Raises:
        InvalidPickle: the file is no pickle, or a broken one.
        OSError: the file cannot be read.
    """
    path = os.fspath(path)
    findings, partial = InspectionCollector(), None
    try:
        with open_window(path) as window:
            whole = PickleVM(window, OPERATIONS, findings, seconds).run()
    except InspectionLimitExceeded as bounds:
        whole, partial = UNKNOWN, str(bounds)
    except InvalidOpcodes as broken:
        raise invalid_pickle(Path(path), str(broken)) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise invalid_pickle(Path(path), str(error)) from None  # gzip.BadGzipFile
    except _BROKEN_FILE as error:
        raise invalid_pickle(Path(path), f"{type(error).__name__}: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # of a library that is imported only if needed
            raise
        raise invalid_pickle(Path(path), f"{type(error).__name__}: {error}") from None
    return _build_inspection(path, findings, whole, partial)


def _build_inspection(
    path: str, findings: InspectionCollector, whole: Any, partial: str | None
) -> Inspection:
    imports: dict[str, str] = {}
    words: set[str] = set()
    for code in findings.codes:
        for module in runtime_imports(code):
            imports.setdefault(module, code.name)
        words.update(code.fields.get("names", ()) if code.complete and not code.fault else ())
    references = {name.module: None for name in findings.names} | findings.modules
    references.pop("__main__", None)
    return Inspection(
        path=path,
        size=Path(path).stat().st_size,
        holds=describe_callable(whole),
        pythons=legal_pythons(findings.codes),
        functions=len(findings.codes),
        references=tuple(references),
        main_names=tuple(each.name for each in findings.names if each.module == "__main__"),
        imports=imports,
        versions={**_numpy_version(references), **findings.versions},
        features=tuple(findings.features),
        data_versions=tuple(findings.data_versions),
        abilities=capabilities([*references, *imports], map(str, findings.names), words),
        partial=partial,
    )


def _numpy_version(references: dict[str, None]) -> dict[str, str]:
    """Numpy 2 pickles arrays under another name than numpy 1."""
    inner = {module.split(".")[1] for module in references if module.startswith("numpy.")}
    if "_core" in inner:
        return {"numpy": "2"}
    return {"numpy": "1"} if "core" in inner else {}
