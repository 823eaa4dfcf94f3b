"""Identify a file that is not a pickle by its first bytes."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.inspection.model_files import model_file

_HEAD_BYTES = 64 * 1024
_MAX_CHARACTERS = 200
_COMPRESSED = {
    b"PK\x03\x04": ("a zip archive", ".zip"),
    b"\x1f\x8b": ("gzip data", ".gz"),
    b"BZh": ("bzip2 data", ".bz2"),
    b"\xfd7zXZ\x00": ("xz data", ".xz"),
    b"\x28\xb5\x2f\xfd": ("zstandard data", ".zst"),
}
_LFS = "a pointer of Git LFS, not the file"
_WEB_PAGE = "a web page or a server error"
_EMPTY = "an empty file"
_TEXT = "text"
_MAGIC = {
    b"PAR1": "a parquet file",
    b"ARROW1": "a Feather file",
    b"\x7fELF": "a program",
    b"version https://git-lfs": _LFS,
    b"{": "a JSON file, such as a notebook",
}
_GIVE_PICKLE = (
    "give the file that cloudpickle.dump(predict, file) wrote, such as model.pkl; "
    "`numerai-predict submit` takes a CSV of predictions"
)
_WRITE_AGAIN = (
    "write the file again with cloudpickle.dump(predict, file), close it, and check that "
    "the copy or upload was complete"
)
# What a reader of pickles finds wrong with these explains nothing.
_OTHER_FILES = {
    **dict.fromkeys([*_MAGIC.values(), _TEXT], _GIVE_PICKLE),
    _LFS: "fetch the file with `git lfs pull`",
    _WEB_PAGE: (
        "give the file that cloudpickle.dump(predict, file) wrote; if this was downloaded, its "
        "address may need a login"
    ),
    _EMPTY: _WRITE_AGAIN,
}
_PICKLE_PROTOCOL_2 = b"\x80"


def invalid_pickle(path: Path, why: str) -> InvalidPickle:
    """The error for a file that is not a valid pickle; `why` is the defect that was found.

    It is left out where the file is something else.
    """
    description = describe_file(path)
    if remedy := _OTHER_FILES.get(description):
        return InvalidPickle(f"expected a pickle, found {description}", remedy)
    found = f"expected a pickle, found {description} ({one_line(why, _MAX_CHARACTERS)})"
    known = model_file(_head(path))
    return InvalidPickle(found, known.remedy if known else _WRITE_AGAIN)


def _head(path: Path) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(_HEAD_BYTES)


def describe_file(path: Path) -> str:
    """What the file is, in a few words: `an empty file`, `text`.

    No byte of the file is quoted: it may be what a server of a private network returned.
    """
    head = _head(path)
    if not head:
        return _EMPTY
    known = model_file(head)
    return known.description if known else _describe(path, head)


def _describe(path: Path, head: bytes) -> str:
    for magic, (name, suffix) in _COMPRESSED.items():
        if head.startswith(magic):
            return f"corrupt {name}" if path.suffix == suffix else f"{name} not named *{suffix}"
    if path.suffix in {suffix for _, suffix in _COMPRESSED.values()}:
        return f"a file that is not compressed, though named *{path.suffix}"
    for magic, description in _MAGIC.items():
        if head.startswith(magic):
            return description
    if head.startswith(_PICKLE_PROTOCOL_2):
        return "a corrupt pickle"
    if head.lstrip().lower().startswith((b"<?xml", b"<!doctype", b"<html", b"<error")):
        return _WEB_PAGE
    text = head.decode(errors="replace")
    if text.isprintable() or all(c.isprintable() or c.isspace() for c in text[:-3]):
        return _TEXT
    return "binary data of an unknown format"
