"""The charts of the page, each an SVG that loads nothing and is the same for the same numbers."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.ticker import FuncFormatter, MaxNLocator

from numerai_predict.diagnostics.report import FeatureSetExposure, NamedMean

# Okabe and Ito's colours, which people tell apart however they see them; each has a dash of its
# own besides, for paper without colour.
COLOURS = {"corr": "#0072b2", "mmc": "#d55e00", "bmc": "#009e73", "fnc": "#aa3377"}
_DASHES: Mapping[str, Any] = {"corr": "-", "mmc": (0, (6, 2)), "bmc": (0, (2, 1.5)), "fnc": "-."}
_INK, _FAINT = "#1b2733", "#d5dce3"

# Inches at 72 dots: small, so that on a phone's width the text is still large enough to read.
_WIDTH, _HEIGHT, _ROW = 5.7, 2.9, 0.25
_LONGEST_NAME = 26
_MANY = 250  # eras: what stands for one is then thinner than a pen
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names are strangers': a dollar sign is one
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e9edf1",
    "path.simplify": True,
}


def line_chart(
    table: pd.DataFrame, names: Mapping[str, str], title: str, *, filled: bool = False
) -> str:
    """A line a column over eras, with its name at its end; NaN is a gap."""
    with mpl.rc_context(_SETTINGS):
        figure, (axes,) = _figure(_HEIGHT)
        places = range(len(table))
        for column, name in names.items():
            style = {"color": COLOURS.get(column, _INK), "linestyle": _DASHES.get(column, "-")}
            values = table[column].to_numpy(np.float64)
            axes.plot(places, values, linewidth=_line_width(places), label=name, **style)
            if filled:
                axes.fill_between(places, values, 0, color=style["color"], alpha=0.1, linewidth=0)
        axes.axhline(0, color=_INK, linewidth=0.8)
        if len(names) > 1:
            figure.legend(frameon=False, loc="outside upper center", ncols=3, handlelength=3)
        _era_axis(axes, list(map(str, table.index)))
        return _svg(figure, title)


def bar_chart(table: pd.DataFrame, names: Mapping[str, str], title: str) -> str:
    """A panel of bars a column over eras, its mean as a line; NaN is a gap."""
    with mpl.rc_context(_SETTINGS):
        figure, panels = _figure(0.8 + 1.5 * len(names), len(names))
        for axes, (column, name) in zip(panels, names.items(), strict=True):
            values = table[column].to_numpy(np.float64)
            axes.add_patch(_bar_outline(values, COLOURS[column]))
            axes.axhline(0, color=_INK, linewidth=0.8)
            mean = float(np.nanmean(values)) if np.isfinite(values).any() else 0.0
            axes.axhline(mean, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
            axes.set_ylabel(name)
            axes.autoscale_view()
            _era_axis(axes, list(map(str, table.index)), labelled=axes is panels[-1])
        return _svg(figure, title)


def exposure_chart(found: Sequence[FeatureSetExposure], title: str) -> str:
    """Mean and largest absolute exposure of each feature set."""
    with mpl.rc_context(_SETTINGS):
        figure, (axes,) = _figure(1.1 + _ROW * 1.6 * len(found))
        places = np.arange(len(found))[::-1]
        largest, mean = [each.largest for each in found], [each.mean for each in found]
        axes.barh(places + 0.2, mean, 0.36, color=COLOURS["corr"], label="mean")
        axes.barh(
            places - 0.2,
            largest,
            0.36,
            color=COLOURS["mmc"],
            hatch="///",
            edgecolor="white",
            linewidth=0,
            label="largest",
        )
        axes.set_yticks(places, [f"{_truncate(each.name)} ({each.features:,})" for each in found])
        axes.grid(visible=False, axis="y")
        figure.legend(frameon=False, loc="outside lower center", ncols=2)
        _hide_ticks(axes)
        return _svg(figure, title)


def interval_chart(found: Sequence[NamedMean], title: str) -> str:
    """A bar for each mean, with a standard deviation to each side."""
    with mpl.rc_context(_SETTINGS):
        figure, (axes,) = _figure(0.7 + _ROW * len(found))
        places = np.arange(len(found))[::-1]
        means = np.array([each.mean for each in found])
        axes.barh(places, means, 0.62, color=COLOURS["corr"])
        axes.errorbar(
            means, places, xerr=[each.std for each in found], fmt="none", ecolor=_INK, elinewidth=1
        )
        axes.axvline(0, color=_INK, linewidth=0.8)
        axes.set_yticks(places, [_truncate(each.name) for each in found])
        axes.set_ylim(-0.6, len(found) - 0.4)
        axes.grid(visible=False, axis="y")
        _hide_ticks(axes)
        return _svg(figure, title)


def _figure(height: float, panels: int = 1) -> tuple[Figure, Any]:
    """A figure and its axes, one below the other."""
    figure = Figure((_WIDTH, height), dpi=72, layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]


def _bar_outline(values: np.ndarray[Any, np.dtype[np.float64]], colour: str) -> PathPatch:
    """All bars as one outline: a thousand shapes of their own would be half a megabyte."""
    half = 0.4 if len(values) <= _MANY else 0.5
    corners = [
        [(x - half, 0.0), (x - half, y), (x + half, y), (x + half, 0.0), (0.0, 0.0)]
        for x, y in enumerate(values)
        if np.isfinite(y)
    ]
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(corners)
    points = np.array(corners).reshape(-1, 2)
    return PathPatch(Outline(points, codes), facecolor=colour, linewidth=0)


def _line_width(eras: Sequence[int]) -> float:
    return 1.8 if len(eras) <= _MANY else 1.0


def _era_axis(axes: Any, eras: Sequence[str], *, labelled: bool = True) -> None:
    axes.set_xlim(-0.6, max(len(eras), 2) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: eras[int(x)] if 0 <= x < len(eras) and x == int(x) else "")
    )
    if labelled:
        axes.set_xlabel("era")
    _hide_ticks(axes)


def _hide_ticks(axes: Any) -> None:
    axes.tick_params(length=0)


def _truncate(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _svg(figure: Figure, title: str) -> str:
    """The figure's SVG element alone; the title is for who cannot see it."""
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    out = io.StringIO()
    # What a chart refers to within itself gets names that no other chart has.
    with mpl.rc_context({"svg.hashsalt": title}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has its own fonts
        figure.savefig(out, format="svg", metadata=metadata)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    used = set(re.findall(r"#([\w.-]+)", text))  # the others are unique in a figure, not in a page
    text = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg role="img" \1>', text, count=1)
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", f"><title>{title}</title>", 1)
