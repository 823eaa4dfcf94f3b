"""Every command of the tutorial and of the how-to guides works as it stands there."""

import re
from pathlib import Path

import pytest
from doc_pages import Fence, differs, executed_pages, fences_of, output_fences, script_of

ROOT = Path(__file__).parents[2]
PAGES = executed_pages(ROOT)
MAKEFILE = (ROOT / "Makefile").read_text()
RUN = [page for page in PAGES if any(fence.is_run for fence in fences_of(page))]


def name_of(page):
    return str(page.relative_to(ROOT / "docs"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_comment_on_a_fence_is_one_that_the_tests_know(page):
    known = (
        *("file ", "exit ", "never, ", "checkout", "engine", "output"),
        *("with practice", "with S3"),
    )
    for fence in fences_of(page):
        assert fence.mark == "" or fence.mark.startswith(known), fence.name
        assert fence.language in {"sh", "python", "yaml", "text", "json", "ini"}, fence.name


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_a_fence_that_is_not_executed_names_the_test_that_covers_it(page):
    for fence in fences_of(page):
        if fence.mark.startswith("never, "):
            _, _, covered = fence.mark.removeprefix("never, ").partition("; ")
            targets = re.findall(r"make (test_\w+)", covered)
            paths = re.findall(r"\S+/\S+", covered)
            assert targets or paths, fence.name
            assert all(f"\n{target}: " in MAKEFILE for target in targets), fence.name
            assert all((ROOT / path).exists() for path in paths), fence.name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_output_comes_after_the_commands_that_print_it(page):
    for fence, line in output_fences(page):
        assert line, f"{fence.name}: no commands before it"


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
def test_the_commands_of_the_page_work(page, run_page, engine, request):
    needs_engine = {fence.line for fence in fences_of(page) if fence.needs_engine}
    in_checkout = any(fence.mark == "checkout" for fence in fences_of(page))
    if in_checkout and not (ROOT / ".venv/bin/activate").is_file():
        pytest.skip("needs the checkout's .venv (make setup)")
    needs_s3 = any(fence.needs_s3 for fence in fences_of(page))
    services = request.getfixturevalue("s3_variables") if needs_s3 else None
    ended = run_page(page, engine if needs_engine else None, services)
    assert ended.exit_code == 0, ended.last
    left_out = set() if engine else needs_engine
    for fence, line in output_fences(page):
        if line not in left_out:
            assert line in ended.printed, f"{fence.name}: what prints it was not executed"
            assert differs(fence.text, ended.printed[line]) == [], ended.printed[line]
    if left_out:
        pytest.skip(
            f"needs a container engine with the slim image of Python 3.12: line "
            f"{', '.join(map(str, sorted(left_out)))}; the other commands work"
        )
