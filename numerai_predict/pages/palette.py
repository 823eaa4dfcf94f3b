"""The colours of series, each with a dash pattern, so that they differ in print as well."""

from __future__ import annotations

# The colours themselves are in the style sheet, one for light and one for dark pages.
DASHES = {
    "c1": None,
    "c2": "6 2",
    "c3": "2 1.5",
    "c4": "6 2 1.5 2",
    "c5": "10 3",
    "c6": "1 3",
}
COLOURS = tuple(DASHES)

# The scores in the charts of all pages. FNC is the CORR of neutralized predictions: in tables only.
SCORE_COLOURS = {"corr": "c1", "mmc": "c2", "bmc": "c3"}
