"""How far a diagnosis is told: a line that changes on a terminal, else plain lines now and then."""

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
    told = EraProgress(lines.append, None)
    for done in range(1, 61):
        clock.now += 0.5
        told.update(done, 600)
    told.end()
    assert lines == [
        "20 of 600 eras, 0.50 s an era, 4:50 left",
        "40 of 600 eras, 0.50 s an era, 4:40 left",
        "60 of 600 eras, 0.50 s an era, 4:30 left",
    ]


def test_on_a_terminal_one_line_changes_and_is_gone_at_the_end(clock):
    terminal, lines = io.StringIO(), []
    told = EraProgress(lines.append, terminal)
    clock.now += 1
    told.update(1, 4000)
    told.update(2, 4000)
    told.end()
    assert lines == []
    line = f"[{' ' * 30}] 1 of 4,000 eras, 1.00 s an era, 1:06:39 left"
    assert terminal.getvalue() == f"\r\x1b[K{line}\r\x1b[K"


def test_what_is_done_at_once_says_nothing(clock):
    terminal = io.StringIO()
    told = EraProgress(pytest.fail, terminal)
    told.update(5, 5)
    told.end()
    assert terminal.getvalue() == ""
