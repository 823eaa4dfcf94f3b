"""The charts of the page: self-contained SVGs, identical for identical numbers."""

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

from numerai_predict.diagnostics.report import FeatureExposure, FeatureSetExposure, NamedMean

# Colours for all kinds of colour vision. Source: Okabe and Ito, "Color Universal Design". Each
# line also has its own dash pattern, for prints without colour.
COLOURS = {"corr": "#0072b2", "mmc": "#d55e00", "bmc": "#009e73", "fnc": "#aa3377"}
_DASHES: Mapping[str, Any] = {"corr": "-", "mmc": (0, (6, 2)), "bmc": (0, (2, 1.5)), "fnc": "-."}
_INK, _LIGHT = "#1b2733", "#d5dce3"

# Inches at 72 dpi: small, so that the text stays readable when scaled to the width of a phone.
_WIDTH, _HEIGHT, _ROW = 5.7, 2.9, 0.25
_MAX_NAME = 26
_DENSE_ERAS = 250  # from this number of eras on, bars and lines get thinner
_STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names are untrusted: a dollar sign is no formula
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": _LIGHT,
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
    table: pd.DataFrame,
    names: Mapping[str, str],
    title: str,
    *,
    marked: Sequence[bool],
    filled: bool = False,
) -> str:
    """One line per column over eras; NaN is a gap. `filled` shades the area to zero.

    `marked` eras have a grey background.
    """
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(_HEIGHT)
        positions = range(len(table))
        for column, name in names.items():
            style = {"color": COLOURS.get(column, _INK), "linestyle": _DASHES.get(column, "-")}
            values = table[column].to_numpy(np.float64)
            axes.plot(positions, values, linewidth=_line_width(positions), label=name, **style)
            if filled:
                axes.fill_between(
                    positions, values, 0, color=style["color"], alpha=0.1, linewidth=0
                )
        axes.axhline(0, color=_INK, linewidth=0.8)
        _mark_eras(axes, marked)
        if len(names) > 1:
            figure.legend(frameon=False, loc="outside upper center", ncols=3, handlelength=3)
        _era_axis(axes, list(map(str, table.index)))
        return _svg(figure, title)


def bar_chart(
    table: pd.DataFrame, names: Mapping[str, str], title: str, marked: Sequence[bool]
) -> str:
    """One panel of bars per column over eras, with the mean as a line; NaN is a gap.

    `marked` eras have a grey background and are not part of the mean.
    """
    with mpl.rc_context(_STYLE):
        figure, panels = _figure(0.8 + 1.5 * len(names), len(names))
        for axes, (column, name) in zip(panels, names.items(), strict=True):
            values = table[column].to_numpy(np.float64)
            axes.add_patch(_bar_outline(values, COLOURS[column]))
            axes.axhline(0, color=_INK, linewidth=0.8)
            _mark_eras(axes, marked)
            counted = values[np.isfinite(values) & ~np.array(marked, bool)]
            mean = float(counted.mean()) if len(counted) else 0.0
            axes.axhline(mean, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
            axes.set_ylabel(name)
            axes.autoscale_view()
            _era_axis(axes, list(map(str, table.index)), labelled=axes is panels[-1])
        return _svg(figure, title)


def exposure_chart(items: Sequence[FeatureSetExposure], title: str) -> str:
    """Two bars per feature set: mean and largest absolute exposure."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(1.1 + _ROW * 1.6 * len(items))
        positions = np.arange(len(items))[::-1]
        largest, mean = [each.largest for each in items], [each.mean for each in items]
        axes.barh(positions + 0.2, mean, 0.36, color=COLOURS["corr"], label="mean")
        axes.barh(
            positions - 0.2,
            largest,
            0.36,
            color=COLOURS["mmc"],
            hatch="///",
            edgecolor="white",
            linewidth=0,
            label="largest",
        )
        axes.set_yticks(
            positions, [f"{_truncate(each.name)} ({each.features:,})" for each in items]
        )
        axes.grid(visible=False, axis="y")
        figure.legend(frameon=False, loc="outside lower center", ncols=2)
        _hide_ticks(axes)
        return _svg(figure, title)


def interval_chart(items: Sequence[NamedMean | FeatureExposure], title: str) -> str:
    """One bar per mean, with an error bar of one standard deviation."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _figure(0.7 + _ROW * len(items))
        positions = np.arange(len(items))[::-1]
        means = np.array([each.mean for each in items])
        axes.barh(positions, means, 0.62, color=COLOURS["corr"])
        axes.errorbar(
            means,
            positions,
            xerr=[each.std for each in items],
            fmt="none",
            ecolor=_INK,
            elinewidth=1,
        )
        axes.axvline(0, color=_INK, linewidth=0.8)
        axes.set_yticks(positions, [_truncate(each.name) for each in items])
        axes.set_ylim(-0.6, len(items) - 0.4)
        axes.grid(visible=False, axis="y")
        _hide_ticks(axes)
        return _svg(figure, title)


def _figure(height: float, panels: int = 1) -> tuple[Figure, Any]:
    """A figure with `panels` axes in one column; `height` is in inches."""
    figure = Figure((_WIDTH, height), dpi=72, layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]


def _bar_outline(values: np.ndarray[Any, np.dtype[np.float64]], colour: str) -> PathPatch:
    """All bars as one path: a thousand separate shapes would take half a megabyte."""
    half = 0.4 if len(values) <= _DENSE_ERAS else 0.5
    corners = [
        [(x - half, 0.0), (x - half, y), (x + half, y), (x + half, 0.0), (0.0, 0.0)]
        for x, y in enumerate(values)
        if np.isfinite(y)
    ]
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(corners)
    points = np.array(corners).reshape(-1, 2)
    return PathPatch(Outline(points, codes), facecolor=colour, linewidth=0)


def _mark_eras(axes: Any, marked: Sequence[bool]) -> None:
    """A grey background for each run of marked eras."""
    edges = np.flatnonzero(np.diff([False, *marked, False]))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        axes.axvspan(start - 0.5, end - 0.5, color=_LIGHT, alpha=0.6, linewidth=0, zorder=0)


def _line_width(eras: Sequence[int]) -> float:
    return 1.8 if len(eras) <= _DENSE_ERAS else 1.0


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
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def _svg(figure: Figure, title: str) -> str:
    """The figure's SVG element with an accessible title."""
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    buffer = io.StringIO()
    # The salt makes the ids that a chart references unique in the page.
    with mpl.rc_context({"svg.hashsalt": title}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser uses its own fonts
        figure.savefig(buffer, format="svg", metadata=metadata)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    referenced = set(re.findall(r"#([\w.-]+)", text))  # others are unique in a figure only
    text = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in referenced else "", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg role="img" \1>', text, count=1)
    title = title.replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", f"><title>{title}</title>", 1)
