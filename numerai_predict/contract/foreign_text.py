"""Makes text of unknown origin bounded and inert: all output passes through here.

Foreign text is all that a model, its pickle, a data file or a server chose: names, ids, columns,
types and messages of exceptions, responses. It may hold control codes, line ends, characters that
reorder or hide others, and surrogates that cannot be encoded.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from enum import Enum
from typing import Any

MAX_NAME_CHARACTERS = 200
MAX_LINE_CHARACTERS = 4_000
MAX_TEXT_CHARACTERS = 64 * 1024
MAX_LINES = 1_000
_MAX_ITEMS = 10_000
_MAX_DEPTH = 20
_ELLIPSIS = " ..."
# Characters without a shape that Unicode does not classify as control or format characters:
# joiners, fillers, blanks, and selectors of variants.
_INVISIBLE = frozenset(
    map(
        chr,
        (
            0x034F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            *range(0x180B, 0x1810),
            0x2800,
            0x3164,
            *range(0xFE00, 0xFE10),
            0xFFA0,
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def one_line(text: object, max_characters: int = MAX_LINE_CHARACTERS) -> str:
    r"""The text as one printable line that any encoding of Unicode can encode.

    Whatever is not printable is escaped as in a string literal of Python: control characters
    (C0, C1), line and paragraph separators, bidirectional controls, zero-width and other invisible
    characters, surrogates. What has more than `max_characters` is cut and ends with ` ...`.
    """
    whole = str(text)
    line = whole[:max_characters]
    if not (line.isascii() and line.isprintable()):
        line = "".join(map(_escaped, line))
    return _cut(line, max_characters, len(whole) > max_characters)


def printable_lines(text: str, max_characters: int = MAX_TEXT_CHARACTERS) -> str:
    """The text with each of its lines as `one_line` shows it; only a line feed ends a line.

    At most `MAX_LINES` lines are kept.
    """
    lines = text[:max_characters].split("\n", MAX_LINES)
    is_cut = len(text) > max_characters or len(lines) > MAX_LINES
    return _cut("\n".join(map(one_line, lines[:MAX_LINES])), max_characters, is_cut)


def _cut(text: str, max_characters: int, is_cut: bool) -> str:
    if len(text) <= max_characters and (not is_cut or text.endswith(_ELLIPSIS)):
        return text  # a text that was cut before stays as it is
    return text[: max_characters - len(_ELLIPSIS)] + _ELLIPSIS


def inert(value: Any, max_characters: int = MAX_LINE_CHARACTERS, depth: int = _MAX_DEPTH) -> Any:
    """A copy of JSON-like data, each text in it as `one_line` shows it, in keys as well."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return one_line(value, max_characters)
    if depth == 0:
        return None if isinstance(value, Mapping | list | tuple) else value
    if isinstance(value, Mapping):
        items = list(value.items())[:_MAX_ITEMS]
        return {
            inert(key, max_characters, depth - 1): inert(each, max_characters, depth - 1)
            for key, each in items
        }
    if isinstance(value, list | tuple):
        return type(value)(inert(each, max_characters, depth - 1) for each in value[:_MAX_ITEMS])
    return value


def _escaped(character: str) -> str:
    if character.isprintable() and character not in _INVISIBLE:
        return character
    # Looking the codec up by its name would import a module at the first hostile character.
    return codecs.unicode_escape_encode(character)[0].decode("ascii")
