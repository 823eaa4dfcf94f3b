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
_MAGIC = {
    b"PAR1": "a parquet file",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a pointer of Git LFS, not the file (`git lfs pull` fetches it)",
    b"{": "a JSON file, such as a notebook",
}
_TEXT = "text"
_TEXT_REMEDY = (
    "give the file that cloudpickle.dump(predict, file) wrote, such as model.pkl; "
    "`numerai-predict submit` takes a CSV of predictions"
)
_PICKLE_PROTOCOL_2 = b"\x80"


def invalid_pickle(path: Path, why: str) -> InvalidPickle:
    """The error for a file that is not a valid pickle; `why` is the defect that was found.

    In text it is left out: what a reader of pickles makes of words explains nothing.
    """
    description = describe_file(path)
    if description == _TEXT:
        return InvalidPickle("expected a pickle, found text, which is no pickle", _TEXT_REMEDY)
    found = f"expected a pickle, found {description} ({one_line(why, _MAX_CHARACTERS)})"
    if known := model_file(_head(path)):
        return InvalidPickle(found, known.remedy)
    return InvalidPickle(
        found,
        "write the file again with cloudpickle.dump(predict, file), close it, and check that "
        "the copy or upload was complete",
    )


def _head(path: Path) -> bytes:
    with open(path, "rb") as handle:
        return handle.read(_HEAD_BYTES)


def describe_file(path: Path) -> str:
    """What the file is, in a few words: `an empty file`, `text`.

    No byte of the file is quoted: it may be what a server of a private network returned.
    """
    head = _head(path)
    if not head:
        return "an empty file"
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
        return "a web page or a server error"
    text = head.decode(errors="replace")
    if text.isprintable() or all(c.isprintable() or c.isspace() for c in text[:-3]):
        return _TEXT
    return "binary data of an unknown format"
