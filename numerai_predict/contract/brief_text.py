"""Shortens foreign text for one line on a terminal; the whole text is in the record and the log.

All commands use it for what a model or a server says: verdict lines, log lines and tables.
"""

from __future__ import annotations

import re

from numerai_predict.contract.foreign_text import one_line

MAX_BRIEF_CHARACTERS = 300

_SHOWN_NAMES = 3
_MAX_WHOLE_LIST = 5
_NAME = r"(?:'[^'\n]{0,200}'|\"[^\"\n]{0,200}\")"
# The repr of a list of names, as pandas and numpy put it into their messages.
_LIST = re.compile(rf"{_NAME}(?:,(?:\s|\\n)*{_NAME}){{{_MAX_WHOLE_LIST},}}")
_ANY_NAME = re.compile(_NAME)


def brief(text: object, max_characters: int = MAX_BRIEF_CHARACTERS) -> str:
    """One printable line of at most `max_characters`, with long lists of names cut to three."""
    return one_line(without_long_lists(one_line(text)), max_characters)


def without_long_lists(line: str) -> str:
    """The line, with each list of more than five quoted names cut to three and their number."""
    return _LIST.sub(_shortened, line)


def brief_message(message: str) -> str:
    """A message of several lines: its title with short lists, its details as `brief` shows them.

    The title is not cut: it may end with the path of a file that the reader needs.
    """
    title, *details = message.split("\n")
    return "\n".join([without_long_lists(title), *map(brief, details)])


def _shortened(found: re.Match[str]) -> str:
    names = _ANY_NAME.findall(found[0])
    left_out = len(names) - _SHOWN_NAMES
    return f"{', '.join(names[:_SHOWN_NAMES])} and {left_out:,} more"
