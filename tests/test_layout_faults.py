"""The check of the layout finds each kind of fault that it is there for."""

import pytest

LONG = "a text that is much too long"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (f"<p style='overflow: hidden; width: 5em; white-space: nowrap'>{LONG}</p>", "cut off: a"),
        (f"<svg width=50 height=20><text x=0 y=15>{LONG}</text></svg>", "cut off: a text"),
        ("<p>a text</p><p style='margin-top: -2.2em'>other</p>", "other | a text"),
        ("<p style='width: 3000px'>a</p>", "wider than the screen"),
    ],
)
def test_faults_are_found(chromium, tmp_path, content, found):
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html>{content}")
    chromium.screen(1280)
    chromium.open(path)
    assert any(each.startswith(found) for each in chromium.layout_faults())
