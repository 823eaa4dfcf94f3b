"""Every command of the tutorial and of the how-to guides works as it stands there."""

from pathlib import Path

import pytest
from doc_pages import Fence, differs, executed_pages, fences_of, output_fences, script_of

ROOT = Path(__file__).parents[2]
PAGES = executed_pages(ROOT)
RUN = [page for page in PAGES if any(fence.is_run for fence in fences_of(page))]


def name_of(page):
    return str(page.relative_to(ROOT / "docs"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_comment_on_a_fence_is_one_that_the_tests_know(page):
    known = ("file ", "exit ", "never, ", "checkout", "engine", "output")
    for fence in fences_of(page):
        assert fence.mark == "" or fence.mark.startswith(known), fence.name
        assert fence.language in {"sh", "python", "yaml", "text", "json", "ini"}, fence.name


def test_a_fence_with_an_exit_code_stops_the_page_at_any_other(tmp_path):
    fence = Fence(tmp_path, 3, "sh", "exit 4", "exit 5\n")
    assert "[ $code = 4 ]" in script_of([fence], tmp_path)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("12:00:00 verdict  ok (exit 0)", "09:31:12 verdict ok (exit 0)"),
        ("saved to ...\n\n", "saved to /tmp/x.csv"),
        ("corr  0.07  -0.1", "corr 0.0810 0.2"),
    ],
)
def test_numbers_spaces_and_ellipses_are_free_in_an_output(expected, printed):
    assert differs(expected, printed) == []


def test_other_words_in_an_output_are_found():
    assert differs("verdict ok", "verdict usage") == ["verdict ok"]


# The last, so that the server stops within a test that may stop one.
@pytest.mark.server
@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_the_commands_of_the_page_work(page, run_page, engine):
    needs_engine = any(fence.needs_engine for fence in fences_of(page))
    in_checkout = any(fence.mark == "checkout" for fence in fences_of(page))
    if in_checkout and not (ROOT / ".venv/bin/activate").is_file():
        pytest.skip("needs the checkout's .venv (make setup)")
    ended = run_page(page, engine if needs_engine else None)
    assert ended.exit_code == 0, ended.last
    for fence, line in output_fences(page):
        if line in ended.printed:
            assert differs(fence.text, ended.printed[line]) == [], ended.printed[line]
