"""The page of a diagnosis as a reader uses it: layout, hover, zoom, keyboard, phone, no scripts."""

import numpy as np
import pandas as pd
import pytest
from made_up_eras import made_up_eras
from test_hostile_text import HOSTILE

from numerai_predict.diagnostics.html_page import render_diagnosis
from numerai_predict.diagnostics.report import FeatureExposure, FeatureSetExposure, NamedMean
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.scoring.score_summary import summarize_quantity

NAMES = ["a" * 200, "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd", *HOSTILE]
SIGHT = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture
def shown(chromium, tmp_path):
    """Write the page of a report and open it."""

    def show(report, width=1280, scheme="light", scripts=True):
        path = tmp_path / "diagnose.html"
        path.write_text(render_diagnosis(report))
        chromium.screen(width, scheme=scheme)
        chromium.open(path, scripts)
        assert chromium.requested() == [path.as_uri()]
        return chromium

    return show


@pytest.mark.parametrize(("width", "scheme"), SIGHT)
@pytest.mark.parametrize("count", [1, 24, 300])
def test_the_layout_holds_and_is_accessible(make_report, shown, count, width, scheme):
    table = made_up_eras(count, "corr", "mmc", "bmc")
    kinds = [EraKind.TRAINED if number < count // 3 else EraKind.CLEAN for number in range(count)]
    page = shown(make_report(table, kinds=kinds), width, scheme)
    assert page.complaints() == []
    assert page.layout_faults() == []
    assert page.serious_findings() == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_report_without_anything_is_readable(make_report, shown, width):
    table = made_up_eras(1, "corr")
    table[["corr", "turnover"]] = np.nan
    empty = summarize_quantity(table["turnover"])
    page = shown(
        make_report(table, groups=[], exposures=[], correlations=[], turnover=empty, notes=[],
                    largest_exposures=pd.DataFrame(index=table.index)),
        width,
    )  # fmt: skip
    assert page.complaints() == []
    assert page.layout_faults() == []
    assert "The model cannot be judged" in page.evaluate(
        "document.querySelector('.lead').textContent"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_names_neither_run_nor_break_the_layout(make_report, subject, shown, width):
    report = make_report(
        made_up_eras(9, "corr", "mmc", "bmc"),
        subject=subject(model=NAMES[0], target=NAMES[1], benchmark=NAMES[0], validation=NAMES[1]),
        groups=[FeatureSetExposure(name, 3, 0.1, 0.2, name) for name in NAMES],
        exposures=[FeatureExposure(name, 0.1, 0.02, 0.1, 0.2, 0, 60) for name in NAMES[:20]],
        largest_exposures=pd.DataFrame(0.1, [f"{n:04d}" for n in range(575, 584)], NAMES[:20]),
        correlations=[NamedMean(name, 0.1, 0.02) for name in NAMES],
        notes=NAMES,
    )
    page = shown(report, width)
    assert page.complaints() == []
    assert page.layout_faults() == []
    assert page.serious_findings() == []


def test_charts_have_values_on_hover_zoom_and_lines_that_are_hidden(make_report, shown):
    page = shown(make_report(made_up_eras(60, "corr", "mmc", "bmc")))
    first = "document.querySelector('.uplot')"
    box = page.evaluate(
        f"(() => {{ const over = {first}.querySelector('.u-over'); over.scrollIntoView();"
        " const b = over.getBoundingClientRect(); return [b.left, b.top, b.width]; })()"
    )
    x, y = box[0] + box[2] / 2, box[1] + 60
    page("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    values = page.evaluate(f"[...{first}.querySelectorAll('.u-value')].map((e) => e.textContent)")
    assert values[0].startswith("06")
    assert float(values[1]) != 0
    for kind, at in (("mousePressed", x), ("mouseMoved", x + 100), ("mouseReleased", x + 100)):
        page("Input.dispatchMouseEvent", type=kind, x=at, y=y, button="left", clickCount=1)
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    label = f"{first}.querySelectorAll('.u-legend th')[1]"
    page.evaluate(f"{label}.focus()")
    page("Input.dispatchKeyEvent", type="keyDown", key="Enter", text="\r")
    assert page.evaluate(f"{label}.parentElement.classList.contains('u-off')")


def test_terms_are_explained_on_focus(make_report, shown):
    page = shown(make_report(made_up_eras(60, "corr")), 390)
    tips = "[...document.querySelectorAll('.tip')].filter((tip) => tip.checkVisibility()).length"
    assert page.evaluate(tips) == 0
    page.evaluate("document.querySelector('.term').focus()")
    assert page.evaluate(tips) == 1
    tip = "document.querySelector('.term .tip')"
    assert page.evaluate(f"{tip}.checkVisibility()")
    assert "Pearson" in page.evaluate(f"{tip}.textContent")
    assert page.layout_faults() == []


def test_without_scripts_charts_are_images(make_report, shown):
    page = shown(make_report(made_up_eras(60, "corr", "mmc", "bmc")), 390, scripts=False)
    assert page.evaluate("document.querySelectorAll('.chart svg').length") == 15
    assert page.layout_faults() == []
    assert page.serious_findings() == []
