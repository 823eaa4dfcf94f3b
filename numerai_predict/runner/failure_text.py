"""The patterns in the text of a model's exception: the only place that decides by that text.

Heuristics, each for an exception that says it nowhere else: a library that raises one type for
everything, a path or a name that is in the message alone. The patterns are compiled when they are
needed: the model process imports this module at its start.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# LightGBM, XGBoost (two), CatBoost (two), Keras, torch.jit, TensorFlow, h5py: a file that cannot be
# opened.
_UNOPENED = (
    r"Could not open (?P<lightgbm>\S.*)"
    r"|Opening (?P<xgboost>\S.*?) failed: "
    r"|LocalFileSystem::Open \"(?P<dmlc>[^\"]+)\""
    r"|Model file doesn't exist: (?P<catboost>\S.*)"
    r"|can't open \"(?P<util>[^\"]+)\" with mode"
    r"|File not found: filepath=(?P<keras>\S.*?)\. Please"
    r"|The provided filename (?P<jit>\S.*?) does not exist"
    r"|SavedModel file does not exist at: (?P<tensorflow>\S.*?)/?\{"
    r"|[Uu]nable to (?:synchronously )?open file \(.*?name = '(?P<h5py>[^']+)'"
)
_CUDA = (
    r"deserialize object on (a )?CUDA|NVIDIA driver|not compiled with CUDA|No CUDA GPUs|CUDA error"
    r"|CUDA (driver|is not available)|device.*cuda.*not available"
)
_PIP = r"(?s)\b(pip3?|uv|conda|apt(-get)?)\b.*\b(install|download|add)\b"
# What pandas 2 raises for categories, dates and other objects that pandas 3 pickled: the state that
# it cannot read.
_PANDAS_3 = r"^\((CategoricalDtype|dtype\('<[Mm]8)|StringDtype|NamedAgg|PeriodDtype"
# pandas, scikit-learn, LightGBM and XGBoost: wrong columns.
_COLUMN_MISMATCH = (
    r"(?i)not in index|are in the \[(columns|index)\]|feature[_ ]names|number of features"
    r"|expecting \d+ features|not in (the )?columns|should match"
)
# What the unpickler raises, which sets no `obj`.
_MISSING_ATTRIBUTE = r"Can't get attribute '([^']*)' on <module '([^']*)'"
_UNOPENED_DATABASE = ("unable to open database", "attempt to write a readonly database")

_MIN_MISSING = 4  # fewer are named by the message itself
_SHOWN = 3
_ALL_MISSING = r"[\"']?None of \["
_LIST_START = r"[\"']?(?:None of \[(?:\w*Index\()?)?\[(?=['\"])"
# A name and what comes before it: a separator, or the dots of a list that pandas abbreviated.
_NEXT_NAME = r"(?:[\s,.]|\\n)*(?:'([^'\n]*)'|\"([^\"\n]*)\")"
_LENGTH = r"length=(\d{1,9})\b"


def unopened_file(text: str) -> str | None:
    """The path of a file of a model that a library could not open."""
    found = re.search(_UNOPENED, text)
    return next(value for value in found.groups() if value) if found else None


def is_unopened_database(text: str) -> bool:
    """Whether SQLite could not open the file of a database, or not to write to it."""
    return text.startswith(_UNOPENED_DATABASE)


def needs_gpu(text: str) -> bool:
    """Whether a library found no GPU."""
    return re.search(_CUDA, text) is not None


def needs_compiler(text: str) -> bool:
    """Whether torch found no C++ compiler."""
    return "C++ compiler" in text


def names_package_manager(text: str) -> bool:
    """Whether the command that failed installs a package."""
    return re.search(_PIP, text) is not None


def names_pandas_3_state(text: str) -> bool:
    """Whether pandas 2 could not read the state of an object of pandas 3."""
    return re.search(_PANDAS_3, text) is not None


def names_a_feature(text: str) -> bool:
    """Whether the key that is missing may be a feature."""
    return "feature" in text


def names_other_columns(text: str) -> bool:
    """Whether a library got other columns than it expected."""
    return re.search(_COLUMN_MISMATCH, text) is not None


def cannot_start_thread(text: str) -> bool:
    """Whether Python could not start a thread: a RuntimeError without a number."""
    return "can't start new thread" in text


def missing_attribute(text: str) -> tuple[str, str] | None:
    """The attribute that a module lacks, and the module."""
    found = re.match(_MISSING_ATTRIBUTE, text)
    return (found[1], found[2]) if found else None


def describe_missing_columns(text: str, named: Collection[str]) -> str | None:
    """The sentence `42 of 42 features missing, such as a, b, c`; `None` for any other text.

    `text` is the message of a KeyError of pandas, perhaps cut off; `named` are the features that
    the pickle names.
    """
    start = re.match(_LIST_START, text)
    if start is None:
        return None
    names, end = _names_from(text, start.end())
    if len(names) < _MIN_MISSING:
        return None
    length = re.compile(_LENGTH).search(text, end)
    count = int(length[1]) if length else len(names)
    total = count if re.match(_ALL_MISSING, text) else _total(names, count, named)
    noun = "features" if all(name.startswith("feature") for name in names) else "columns"
    is_complete = text.startswith("]", end)
    shown = f"{count:,}" if is_complete else f"at least {count:,}"
    if total and is_complete:
        shown = f"{shown} of {total:,}"
    return f"{shown} {noun} missing, such as {', '.join(names[:_SHOWN])}"


def _names_from(text: str, position: int) -> tuple[list[str], int]:
    """The names of the list, and the position after the last one."""
    names = []
    next_name = re.compile(_NEXT_NAME)
    while found := next_name.match(text, position):
        names.append(found[1] if found[1] is not None else found[2])
        position = found.end()
    return names, position


def _total(missing: Collection[str], count: int, named: Collection[str]) -> int | None:
    """How many features the model uses, if the pickle names all that are missing."""
    return len(named) if len(named) >= count and set(missing) <= set(named) else None
