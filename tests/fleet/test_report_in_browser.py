"""The report of a fleet run as a reader uses it: search, details, keyboard, phone and print."""

import json
from dataclasses import replace

import pytest
from fleet_rows import made_up_rows, write_files
from test_hostile_text import HOSTILE

from numerai_predict.fleet.report.html_report import render_report
from numerai_predict.fleet.report.model_table import ResultDirectory
from numerai_predict.fleet.summary import FleetSummary

NAMES = ["a" * 200, "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd", "a b", *HOSTILE]
ROWS = "document.querySelectorAll('.rows tbody tr:not(.space)').length"
COUNT = "document.querySelector('output').textContent"


def write_page(folder, rows):
    remedies = write_files(folder, rows)
    page = folder / "fleet.html"
    page.write_text(
        render_report("fleet-1", FleetSummary(rows), remedies, ResultDirectory.read(folder))
    )
    return page


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """A page of 600 models."""
    return write_page(tmp_path_factory.mktemp("usual"), made_up_rows(600))


def opened(chromium, page, fragment="", scripts=True, **screen):
    chromium.screen(**{"width": 1280, **screen})
    chromium.open("about:blank")
    chromium.open(page.as_uri() + fragment, scripts)
    return chromium


def hostile_rows():
    rows = made_up_rows(len(NAMES), failing=0.5)
    fields = ("id", "message", "verdict", "place", "worker", "tags")
    return [
        replace(row, **dict.fromkeys(fields, text)) for row, text in zip(rows, NAMES, strict=True)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("count", [0, 1, 600])
def test_the_layout_holds_and_is_accessible(chromium, tmp_path, count, width, scheme):
    page = write_page(tmp_path, made_up_rows(count))
    opened(chromium, page, width=width, scheme=scheme)
    assert chromium.layout_faults() == []
    assert chromium.serious_findings() == []
    assert chromium.complaints() == []
    assert chromium.requested() == [page.as_uri()]


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_names_neither_run_nor_break_the_layout(chromium, tmp_path, width):
    rows = hostile_rows()
    page = tmp_path / "fleet.html"
    remedies = {row.id: row.id for row in rows}
    summary = FleetSummary(rows, [row.id for row in rows])
    text = render_report(NAMES[1], summary, remedies, ResultDirectory.read(tmp_path))
    page.write_text(text)
    opened(chromium, page, width=width)
    assert chromium.complaints() == []
    assert chromium.layout_faults() == []
    assert chromium.serious_findings() == []
    assert chromium.evaluate(COUNT) == f"{len(rows)} of {len(rows)}"


def test_a_failed_model_leads_to_the_lines_of_its_log_in_two_clicks(chromium, usual):
    opened(chromium, usual)
    chromium.evaluate("document.querySelector('.group a').click()")
    chromium.evaluate("new Promise((done) => setTimeout(done, 50))")
    shown = chromium.evaluate("document.querySelector('.detail').innerText")
    assert "feature_" in shown
    assert "train on features of this data version" in shown
    assert "12:00:02 verdict" in shown
    links = "[...document.querySelectorAll('.detail a')].map((a) => a.getAttribute('href'))"
    log = next(href for href in chromium.evaluate(links) if href.endswith(".log"))
    assert (usual.parent / log).is_file()


def test_search_filter_and_sorting(chromium, usual):
    opened(chromium, usual, "#search=model-0001&sort=-seconds")
    assert chromium.evaluate(COUNT) == "10 of 600"
    shown = chromium.evaluate(
        "[...document.querySelectorAll('.rows tbody tr:not(.space) td:nth-child(3)')]"
        ".map((cell) => parseFloat(cell.textContent))"
    )
    assert shown == sorted(shown, reverse=True)
    opened(chromium, usual, "#verdict=timeout")
    shown = chromium.evaluate("document.querySelector('.rows tbody').innerText")
    assert "timeout" in shown
    assert "model_error" not in shown


def test_a_filter_finds_each_of_several_tags(chromium, tmp_path):
    tags = ["linear alice", "linear bob", "alice", None]
    rows = [replace(row, tags=tags[at % 4]) for at, row in enumerate(made_up_rows(40))]
    opened(chromium, write_page(tmp_path, rows), "#tags=alice")
    assert chromium.evaluate(COUNT) == "20 of 40"
    options = "[...document.querySelectorAll('select')].map((each) => each.innerText).join()"
    assert "alice (20)" in chromium.evaluate(options)
    assert "linear (20)" in chromium.evaluate(options)


def test_only_rows_in_view_are_drawn(chromium, usual):
    opened(chromium, usual)
    assert 10 < chromium.evaluate(ROWS) < 60
    last = "document.querySelector('.rows').scrollTo(0, 1e6)"
    chromium.evaluate(last)
    chromium.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert "model-00599" in chromium.evaluate("document.querySelector('.rows tbody').innerText")


def test_the_keyboard_goes_from_row_to_row(chromium, usual):
    opened(chromium, usual)
    chromium.evaluate("document.querySelector('.rows tbody a').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        chromium("Input.dispatchKeyEvent", type="keyDown", key=key)
    assert "model-00001" in chromium.evaluate("document.activeElement.textContent")
    chromium("Input.dispatchKeyEvent", type="keyDown", key="Enter", text="\r")
    chromium.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert "model-00001" in chromium.evaluate("document.querySelector('.detail h3').textContent")


def test_an_address_of_a_model_that_is_absent_says_so(chromium, usual):
    opened(chromium, usual, "#model=absent")
    assert "no such model" in chromium.evaluate("document.querySelector('.detail').innerText")


def test_copied_text_cannot_be_a_formula(chromium, usual):
    opened(chromium, usual)
    cells = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "plain", 'a"b,c', -1.5, None]
    found = chromium.evaluate(f"{json.dumps(cells)}.map(PageTable.csvCell)")
    assert found == ["'=cmd|' /C calc'!A0", "'+1", "'-1", "'@x", "plain", '"a""b,c"', "-1.5", ""]


def test_the_timeline_zooms_and_leads_to_a_model(chromium, usual):
    opened(chromium, usual)
    place = "document.querySelector('[data-timeline]')"
    assert chromium.evaluate(f"{place}.querySelectorAll('canvas').length") == 1
    chromium.evaluate(f"{place}.querySelector('button').click()")
    box = chromium.evaluate(
        f"(() => {{ const c = {place}.querySelector('canvas'); c.scrollIntoView();"
        " const b = c.getBoundingClientRect(); return [b.left, b.top]; })()"
    )
    point = {"x": box[0] + 600, "y": box[1] + 30, "button": "left", "clickCount": 1}
    for kind in ("mousePressed", "mouseReleased"):
        chromium("Input.dispatchMouseEvent", type=kind, **point)
    chromium.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert chromium.evaluate("location.hash").startswith("#model=model-")


def test_without_scripts_the_page_is_read(chromium, usual):
    opened(chromium, usual, scripts=False, width=390)
    assert chromium.evaluate("document.querySelectorAll('tbody tr[id]').length") == 300
    assert chromium.evaluate("document.querySelectorAll('[data-timeline] svg').length") == 1
    assert chromium.layout_faults() == []
    assert chromium.serious_findings() == []


def test_print_shows_all_rows_on_white(chromium, usual):
    opened(chromium, usual, scheme="dark", media="print")
    chromium.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert chromium.evaluate(ROWS) == 600
    assert chromium.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
