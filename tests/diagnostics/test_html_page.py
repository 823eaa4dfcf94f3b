"""The page: one small self-contained file, whatever names it contains."""

import html.parser
import json
import re

import markupsafe
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from browser import screenshot
from made_up_eras import made_up_eras
from page_text import is_inert
from test_hostile_text import HOSTILE as HOSTILE_TEXT
from test_hostile_text import check

from numerai_predict.cli.score_table import score_table
from numerai_predict.diagnostics.html_page import MAX_BYTES, render_diagnosis, score_rows
from numerai_predict.diagnostics.report import FeatureExposure, FeatureSetExposure, NamedMean
from numerai_predict.diagnostics.report_json import report_as_json
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.pages.formats import format_interval, format_number
from numerai_predict.scoring.score_summary import summarize, summarize_quantity
from numerai_predict.terminal.screen import Screen

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE models; --",
    "</svg></title><script src=//evil.example/x.js>",
    "$\\frac{1}{$ & <b>",
    "{{ 7 * 7 }}{% raw %}",
    "模型 \N{ROCKET}",
    "a" * 300,
]


@pytest.fixture
def eras():
    return made_up_eras


class Elements(html.parser.HTMLParser):
    """Every tag of the page with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def loads_nothing(page):
    for tag, attributes in Elements(page).tags:
        assert tag not in ("iframe", "object", "embed", "img", "link", "base", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "srcset", "action", "data", "poster"):
            assert name not in attributes
        for name in ("href", "xlink:href"):
            assert attributes.get(name, "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", page)
    assert page.count("<script") == 2


@pytest.mark.parametrize("count", [2, 24, 1000])
def test_a_page_loads_nothing_and_is_small(make_report, eras, count):
    page = render_diagnosis(make_report(eras(count, "corr", "mmc", "bmc")))
    assert len(page.encode()) < MAX_BYTES
    loads_nothing(page)
    assert page.count("<svg") == (15 if count >= 8 else 14)


def test_the_same_report_gives_the_same_bytes(make_report, eras):
    report = make_report(eras(30, "corr", "mmc", "bmc"))
    assert render_diagnosis(report) == render_diagnosis(report)


@pytest.mark.parametrize("name", HOSTILE)
def test_untrusted_names_are_shown_and_escaped(make_report, subject, eras, name):
    report = make_report(
        eras(5, "corr", "mmc", "bmc"),
        subject=subject(model=name, target=name, benchmark=name, validation=name),
        groups=[FeatureSetExposure(name, 3, 0.1, 0.2, name)],
        exposures=[FeatureExposure(name, 0.1, 0.02, 0.1, 0.2, 0, 5)],
        largest_exposures=pd.DataFrame({name: 0.1}, [f"{era:04d}" for era in range(575, 580)]),
        correlations=[NamedMean(name, 0.1, 0.02)],
        notes=[name],
    )
    page = render_diagnosis(report)
    loads_nothing(page)
    usual = render_diagnosis(make_report(eras(5, "corr", "mmc", "bmc")))
    known = {tag for tag, _ in Elements(usual).tags}
    assert {tag for tag, _ in Elements(page).tags} <= known
    assert str(markupsafe.escape(name))[:20] in page


@pytest.mark.parametrize("text", HOSTILE_TEXT)
def test_text_of_any_field_is_inert(make_report, subject, eras, text):
    table = eras(12, "corr", "mmc", "bmc")
    table.index = [text, *table.index[1:]]
    names = {"model": text, "target": text, "benchmark": text, "validation": text}
    report = make_report(
        table,
        subject=subject(**names, meta_model=text, neutral_to=text, pythons=[text]),
        groups=[FeatureSetExposure(text, 3, 0.1, 0.2, text)],
        exposures=[FeatureExposure(text, 0.4, 0.02, 0.4, 0.5, 0, 5)],
        largest_exposures=pd.DataFrame({text: 0.1}, table.index),
        correlations=[NamedMean(text, 0.1, 0.02)],
        notes=[text],
    )
    page = render_diagnosis(report)
    assert is_inert(page)
    loads_nothing(page)
    json.loads(report_as_json(report, {}))
    check(Screen(60).text(score_table(score_rows(report))))


def test_charts_without_data_are_replaced_by_a_reason(make_report, eras):
    table = eras(1, "corr")
    table["corr"] = np.nan
    table["turnover"] = np.nan
    empty = summarize_quantity(table["turnover"])
    page = render_diagnosis(
        make_report(
            table,
            groups=[],
            exposures=[],
            correlations=[],
            turnover=empty,
            notes=[],
            largest_exposures=pd.DataFrame(index=table.index),
        )
    )
    assert page.count("<svg") == 0
    assert page.count('class="none"') == 9
    assert "No score could be computed" in page
    assert "nothing to compare" in page
    assert "Turnover needs at least two eras" in page
    visible = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    assert "nan" not in visible.lower().replace("tournament", "")


def test_trained_eras_are_apart_from_the_headline_and_marked(make_report, eras):
    table = eras(9, "corr")
    kinds = [EraKind.TRAINED] * 3 + [EraKind.OVERLAPPING] * 2 + [EraKind.CLEAN] * 4
    clean, inflated = summarize(table["corr"].iloc[5:], 1), summarize(table["corr"].iloc[:5], 1)
    page = render_diagnosis(
        make_report(table, kinds=kinds, scores={"corr": clean}, inflated_scores={"corr": inflated})
    )
    assert "Scores of 4 clean eras; 5 others, which the model was trained on" in page
    assert f"<b>{format_number(clean.mean)}</b>" in page
    assert page.count("<td>trained</td>") == 3
    assert page.count("<td>overlapping</td>") == 2
    assert "Grey: eras that the model was trained on" in page


def test_a_mean_has_its_interval_or_the_reason_why_not(make_report, eras):
    many, few = eras(60, "corr"), eras(9, "corr")
    interval = summarize(many["corr"], 4).mean_interval
    assert f"95% interval {format_interval(interval, 4)}" in render_diagnosis(make_report(many))
    assert "no interval: 2 effective eras" in render_diagnosis(make_report(few))


def test_without_a_meta_model_the_other_scores_are_drawn(make_report, eras):
    page = render_diagnosis(make_report(eras(9, "corr", "bmc")))
    assert page.count("<svg") == 12
    assert "There is no MMC" in page
    assert "A payout needs CORR and MMC" in page


@pytest.mark.parametrize("size", ["1280,2400", "400,4000"])
def test_a_browser_draws_the_page_and_asks_for_nothing_else(make_report, eras, web, tmp_path, size):
    page = render_diagnosis(make_report(eras(200, "corr", "mmc", "bmc")))
    web.replies["/diagnose.html"] = web.reply(page.encode(), headers={"Content-Type": "text/html"})
    shot, requested = screenshot(f"{web.url}/diagnose.html", tmp_path, size)
    assert requested == []
    pixels = (matplotlib.image.imread(shot)[..., :3] * 255).round().astype(int)
    width, height = map(int, size.split(","))
    assert pixels.shape == (height, width, 3)
    ink = (pixels < 200).any(axis=2)
    assert 0.01 < ink.mean() < 0.6
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x00, 0x80, 0x5C)):
        assert (np.abs(pixels - colour).max(axis=2) < 8).sum() > 200, "a curve is missing"
    # Nothing is wider than the screen: what is cut off at the right would reach its edge.
    assert not ink[:, -4:].any()


def test_a_browser_that_is_asked_for_more_is_found_out(web, tmp_path):
    page = b"<img src=here.png><script src=https://other.example/x.js></script>"
    web.replies["/page.html"] = web.reply(page, headers={"Content-Type": "text/html"})
    _, requested = screenshot(f"{web.url}/page.html", tmp_path, "400,400")
    assert requested == [f"{web.url}/here.png", "https://other.example/x.js"]
