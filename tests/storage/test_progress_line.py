"""The progress of an operation: what is drawn fits the terminal, whatever its width."""

from __future__ import annotations

import fcntl
import importlib.util
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from numerai_predict.storage.progress_line import ProgressLine

TEXT = "1 of 2: window-1 target seed 42: 30 of 600 rounds, 0:04 left"
BAR = "━" * 15 + "╺" + "━" * 14
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ERASE_LINE = "\x1b[2K"


@pytest.fixture(autouse=True)
def terminal_type(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def draw():
    """What a terminal of so many columns gets; zero for an unknown width."""

    def draw_on(columns, share, text=TEXT):
        screen, stream = pty.openpty()
        fcntl.ioctl(stream, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with os.fdopen(stream, "w") as terminal:
            line = ProgressLine(pytest.fail, terminal, 9.0)
            line.show(text, share)
            line.end()
            terminal.flush()
            output = b""
            while not output.endswith(ERASE_LINE.encode()):
                output += os.read(screen, 4096)
        os.close(screen)
        return output.decode()

    return draw_on


def line_of(output):
    """The visible line, without its padding: rich draws it again at the end."""
    (line,) = {part.strip() for part in re.split(r"[\r\n]+", CONTROL.sub("", output))} - {""}
    return line


def test_a_wide_terminal_gets_a_bar_and_the_text(draw):
    assert line_of(draw(120, 0.5)) == f"{BAR} {TEXT}"


def test_without_a_share_there_is_no_bar(draw):
    assert line_of(draw(120, None)) == TEXT


def test_where_both_do_not_fit_the_text_stays(draw):
    assert line_of(draw(80, 0.5)) == TEXT


def test_where_the_text_does_not_fit_it_is_cut_and_not_wrapped(draw):
    assert line_of(draw(20, 0.5)) == TEXT[:20].strip()


def test_a_terminal_of_unknown_width_gets_the_text(draw):
    assert TEXT in draw(0, 1.0)


def test_text_in_brackets_is_no_markup(draw):
    assert line_of(draw(80, None, "[red]my_model[/red]")) == "[red]my_model[/red]"


def test_the_end_erases_the_line_and_shows_the_cursor(draw):
    output = draw(120, 0.5)
    assert output.endswith(ERASE_LINE)
    assert output.count("\x1b[?25l") == output.count("\x1b[?25h") == 1


@pytest.mark.process
def test_a_program_that_ends_early_leaves_the_cursor_visible():
    program = (
        "import sys\n"
        "from numerai_predict.storage.progress_line import ProgressLine\n"
        "ProgressLine(print, sys.stdout, 9.0).show('text', 0.5)\n"
        "raise SystemExit(3)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 3
    assert "\x1b[?25h" in ended.stdout


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    lines, terminal = [], io.StringIO()
    ProgressLine(lines.append, terminal, 0.0).show("text", 0.5)
    assert (lines, terminal.getvalue()) == (["text"], "")


def test_without_rich_a_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    lines, terminal = [], io.StringIO()
    line = ProgressLine(lines.append, terminal, 9.0)
    assert not line.due()
    line.show("text", 0.5)
    line.end()
    assert (lines, terminal.getvalue()) == (["text"], "")
