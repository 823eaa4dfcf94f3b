"""Charts: round steps, labels that do not overlap, names that are escaped."""

import re

import numpy as np
import pytest

from numerai_predict.pages.histogram import Histogram, histogram_svg
from numerai_predict.pages.svg import cut, element, label_of, named, round_steps
from numerai_predict.pages.timeline import Timeline, TimelineBar


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (-0.013, 0.021, [-0.01, 0.0, 0.01, 0.02]),
        (3, 3, [3]),
        (0, 1e9, [0, 2e8, 4e8, 6e8, 8e8, 1e9]),
        (0, 7e-7, [0, 2e-7, 4e-7, 6e-7]),
    ],
)
def test_steps_are_round(low, high, expected):
    assert round_steps(low, high, 6) == pytest.approx(expected)


def test_labels_have_the_decimals_of_their_step():
    steps = round_steps(-0.013, 0.021, 6)
    assert [label_of(step, steps) for step in steps] == [
        "\N{MINUS SIGN}0.01", "0.00", "0.01", "0.02",
    ]  # fmt: skip


def test_text_in_a_chart_is_escaped():
    bar = named(element("rect", x=1.25, class_='"'), "<b>")
    assert bar == '<rect x="1.2" class="&#34;"><title>&lt;b&gt;</title></rect>'


def test_a_long_name_is_cut():
    assert cut("a" * 300, 62) == "a" * 9 + "…"


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [0.01, 1e6], [0.0, 5.0], list(range(1, 99))])
def test_a_histogram_counts_every_value_once(values):
    assert Histogram.of(values).counts.sum() == len(values)
    svg = histogram_svg(values, "title", "model", "{:.2f}".format)
    assert sum(map(int, re.findall(r": (\d+) models?<", svg))) == len(values)


def bar(name, start, seconds, group="w", failed=False):
    return TimelineBar(group, name, start, seconds, failed, 0)


def test_bars_that_overlap_are_in_lanes_of_their_own():
    bars = [bar("a", 100.0, 10.0), bar("b", 105.0, 10.0), bar("c", 110.0, 5.0),
            bar("d", 100.0, 1.0, "x")]  # fmt: skip
    lanes = Timeline.of(bars).lanes
    assert [[each.name for each in lane.bars] for lane in lanes] == [["a", "c"], ["b"], ["d"]]
    assert [lane.label for lane in lanes] == ["w", "", "x"]


def test_ticks_are_at_round_times():
    timeline = Timeline.of([bar("a", 100.0, 480.0)])
    assert timeline.ticks == list(range(0, 481, 60))
    assert "8 min" in timeline.svg("title")


def test_few_bars_have_their_names_and_many_are_shares_of_time():
    few = Timeline.of([bar(f"m{number}", float(number), 0.5) for number in range(100)])
    assert few.svg("title").count("<rect") == 100
    many = Timeline.of([
        bar(f"m{number}", float(number), 0.5, failed=number == 9) for number in range(9000)
    ])  # fmt: skip
    svg = many.svg("title")
    assert svg.count("<rect") == 0
    assert svg.count('class="bad"') == 1
    assert len(svg) < 40_000


def test_shares_of_time_are_those_of_the_bars():
    bars = [bar(f"m{number}", float(number), 0.5) for number in range(9000)]
    found = re.findall(r'opacity="([\d.]+)"', Timeline.of(bars).svg("title"))
    assert found in (["0.5"], ["0.25", "0.5"])  # the last bin may end after the last bar


def test_thousands_of_lanes_stay_within_a_screen_or_have_no_label():
    bars = [bar("m", 0.0, 1.0, f"worker {number:04d}") for number in range(500)]
    svg = Timeline.of(bars).svg("title")
    tops = [float(top) for top in re.findall(r'class="ink" x="0" y="([\d.]+)"', svg)]
    assert min(np.diff(tops)) >= 12


def test_no_bars_have_no_timeline():
    assert Timeline.of([]) is None
