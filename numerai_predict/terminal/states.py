"""The states that commands show, and one tone for each: the same word has one colour everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from numerai_predict.contract.verdicts import (
    AnyVerdict,
    TournamentVerdict,
    TrainingVerdict,
    Verdict,
)


class Tone(Enum):
    """What a state means for the user; the value is the name of its colour."""

    DONE = "green"
    ACTIVE = "cyan"
    WAITING = "yellow"
    FAILED = "red"


_FAMILIES: tuple[type[AnyVerdict], ...] = (Verdict, TournamentVerdict, TrainingVerdict)
_TONES = {
    Tone.DONE: ("ok", "delivered", "open", "paid", "local", "yes", "running at"),
    Tone.ACTIVE: ("running", "inspected", "predicted", "sent", "resolving", "retry"),
    Tone.WAITING: (
        "queued",
        "waiting",
        "pending",
        "upcoming",
        "lost",
        "skipped",
        "maybe",
        "warning",
    ),
    Tone.FAILED: ("failed", "refused", "missing", "changed", "no", "stopped"),
}


def _tones() -> dict[str, Tone]:
    verdicts = (each.word for family in _FAMILIES for each in family)
    named = {word: tone for tone, states in _TONES.items() for word in states}
    return dict.fromkeys(verdicts, Tone.FAILED) | named


_TONE_BY_WORD = _tones()


def tone_of(word: str) -> Tone | None:
    """The tone of a state or a verdict; `None` for a word that is neither good nor bad."""
    return _TONE_BY_WORD.get(word)


def known_states() -> Iterable[str]:
    """All words that have a tone."""
    return _TONE_BY_WORD.keys()
