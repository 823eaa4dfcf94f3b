"""The progress of a diagnosis: a live line on a terminal, else log lines at intervals."""

import io

import pytest

from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.storage import progress_line


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(progress_line.time, "monotonic", lambda: Clock.now)
    return Clock


def test_without_a_terminal_it_is_a_plain_line_every_ten_seconds(clock):
    lines = []
    progress = EraProgress(lines.append, None)
    for done in range(1, 61):
        clock.now += 0.5
        progress.update(done, 600)
    progress.end()
    assert lines == [
        "20 of 600 eras, 0.50 s per era, 4:50 left",
        "40 of 600 eras, 0.50 s per era, 4:40 left",
        "60 of 600 eras, 0.50 s per era, 4:30 left",
    ]


def test_on_a_terminal_one_line_changes_and_is_removed_at_the_end(clock, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal, lines = io.StringIO(), []
    progress = EraProgress(lines.append, terminal)
    clock.now += 1
    progress.update(1, 4000)
    progress.update(2, 4000)
    progress.end()
    assert lines == []
    assert "1 of 4,000 eras, 1.00 s per era, 1:06:39 left" in terminal.getvalue()
    assert "2 of 4,000 eras" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


def test_a_short_diagnosis_shows_nothing(clock):
    terminal = io.StringIO()
    progress = EraProgress(pytest.fail, terminal)
    progress.update(5, 5)
    progress.end()
    assert terminal.getvalue() == ""
