"""How far work is: what is drawn fits the terminal, whatever its width."""

import fcntl
import os
import pty
import struct
import termios

import pytest

from numerai_predict.storage.progress_line import ProgressLine

WORDS = "1 of 2: window-1 target seed 42: 30 of 600 rounds, 0:04 left"


@pytest.fixture
def shown():
    """What a terminal of so many columns gets."""

    def draw(columns, share):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with os.fdopen(theirs, "w") as terminal:
            ticker = ProgressLine(pytest.fail, terminal, 9.0)
            ticker.show(WORDS, share)
            ticker.end()
            drawn = everything(ours, until=b"\r\x1b[K", times=2)
        os.close(ours)
        first, line, last = drawn.split("\r\x1b[K")
        assert (first, last) == ("", "")
        return line

    return draw


def everything(screen, until, times):
    """What is there to read, which may come in parts."""
    drawn = b""
    while drawn.count(until) < times:
        drawn += os.read(screen, 4096)
    return drawn.decode()


def test_a_wide_terminal_gets_a_bar_and_the_words(shown):
    assert shown(120, 0.5) == f"[{'#' * 15}{' ' * 15}] {WORDS}"


def test_without_a_share_there_is_no_bar(shown):
    assert shown(120, None) == WORDS


def test_where_both_do_not_fit_the_words_stay(shown):
    assert shown(80, 0.5) == WORDS


def test_where_the_words_do_not_fit_they_are_cut(shown):
    assert shown(20, 0.5) == WORDS[:19]


def test_a_terminal_that_does_not_tell_its_width_gets_all(shown):
    assert shown(0, 1.0) == f"[{'#' * 30}] {WORDS}"
