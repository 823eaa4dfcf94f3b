"""Charts over eras: gaps, bands, marked eras, and the same data for the script."""

import re

import numpy as np
import pytest

from numerai_predict.pages.bar_chart import Bar, bar_svg, heat_map_svg
from numerai_predict.pages.era_chart import EraChart, EraSeries

ERAS = [f"{era:04d}" for era in range(100, 140)]
VALUES = np.linspace(-0.01, 0.03, 40)


def chart(values, **options):
    series = [EraSeries("CORR", "c1", np.asarray(values, float))]
    return EraChart(ERAS[: len(values)], series, [False] * len(values), **options)


def test_a_gap_is_no_line_and_no_number():
    values = VALUES.copy()
    values[10:12] = np.nan
    drawn = chart(values)
    path = re.search(r'class="line c1" d="([^"]*)"', drawn.svg("t"))[1]
    assert path.count("M") == 2
    assert drawn.as_data()["series"][0]["values"][9:13] == pytest.approx(
        [values[9], None, None, values[12]], abs=1e-6
    )


def test_marked_eras_are_one_background():
    marked = [False] * 5 + [True] * 10 + [False] * 25
    drawn = EraChart(ERAS, [EraSeries("CORR", "c1", VALUES)], marked, bars=True)
    assert drawn.svg("t").count('class="band"') == 1
    assert drawn.as_data()["marked"] == [[5, 15]]


def test_a_band_is_drawn_and_stored():
    series = EraSeries("CORR", "c1", VALUES, (VALUES - 0.01, VALUES + 0.01))
    drawn = EraChart(ERAS, [series], [False] * 40)
    assert 'class="shade c1"' in drawn.svg("t")
    low, high = drawn.as_data()["series"][0]["band"]
    assert len(low) == len(high) == 40


@pytest.mark.parametrize(
    "values", [[0.0], [0.0] * 9, [np.nan] * 5, [5.0], [-3.0, -2.0], VALUES, [1e-9, 2e-9], [1e9, 1]]
)
@pytest.mark.parametrize("bars", [False, True])
def test_any_values_can_be_drawn(values, bars):
    svg = chart(values, bars=bars).svg("title")
    assert "nan" not in svg
    assert "inf" not in svg


@pytest.mark.parametrize("count", [1, 7, 40, 1000])
def test_labels_of_eras_do_not_overlap(count):
    eras = [f"{era:04d}" for era in range(count)]
    series = [EraSeries("CORR", "c1", np.zeros(count))]
    svg = EraChart(eras, series, [False] * count).svg("t")
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)" y="204', svg)]
    assert 1 <= len(places) <= 11
    assert count == 1 or min(np.diff(places)) > 4 * 6.2


def test_bars_have_names_values_and_spreads():
    svg = bar_svg([Bar("<b>", 0.1, 0.02), Bar("x" * 300, -0.05, 0.01)], "title")
    assert "&lt;b&gt;: 0.1000 ± 0.0200" in svg
    assert "<b>" not in svg
    assert "x" * 300 + ": \N{MINUS SIGN}0.0500" in svg


def test_a_heat_map_of_many_eras_has_means_of_neighbours():
    values = np.tile(np.linspace(-0.2, 0.2, 600), (3, 1))
    svg = heat_map_svg(["a", "b", "c"], [f"{era:04d}" for era in range(600)], values, "title")
    assert svg.count("<rect") == 180
    assert "a, 0000 to 0009: \N{MINUS SIGN}0.197" in svg


def test_a_heat_map_leaves_gaps_out():
    values = np.array([[0.1, np.nan], [np.nan, np.nan]])
    assert heat_map_svg(["a", "b"], ["1", "2"], values, "title").count("<rect") == 1
