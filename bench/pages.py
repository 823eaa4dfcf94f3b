"""The report of a fleet of 10,000 models: time to write, size, and time in a headless browser."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import results

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from chromium import Chromium
from fleet_rows import made_up_rows, write_files

from numerai_predict.fleet.report.html_report import render_report
from numerai_predict.fleet.report.model_table import ResultDirectory
from numerai_predict.fleet.summary import FleetSummary

_RUNS = 5
# Type a text into the search field; the answer is there when the rows were drawn.
_SEARCH = """(async () => {
  const field = document.querySelector("input[type=search]"), times = [];
  for (const text of ["model-099", "node-1", "feature_1", "zzz", ""]) {
    const started = performance.now();
    field.value = text;
    field.dispatchEvent(new Event("input"));
    document.body.getBoundingClientRect();
    times.push(performance.now() - started);
  }
  return Math.max(...times);
})()"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as name:
        folder = Path(name)
        lines = ["| models | failed | written in, s | at most | size, MB | at most |"]
        lines.append("|---|---|---|---|---|---|")
        sizes = {(1_000, 0.05): 1.0, (1_000, 1.0): 1.0, (10_000, 0.05): 8.0, (10_000, 1.0): 8.0}
        for (count, failing), most in sizes.items():
            seconds, page = written(folder / f"{count}-{failing}", count, failing)
            size = page.stat().st_size / 1e6
            lines.append(
                f"| {count:,} | {failing:.0%} | {seconds:.2f} | 2 | {size:.2f} | {most:.0f} |"
            )
        lines += ["", *in_browser(folder, folder / "10000-0.05" / "fleet.html")]
        results.keep("The report of a fleet (`make bench_pages`)", lines)


def written(folder: Path, count: int, failing: float) -> tuple[float, Path]:
    """The median time to make the page, and its file."""
    rows = made_up_rows(count, failing)
    remedies = write_files(folder, rows)
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        directory = ResultDirectory.read(folder)
        page = render_report("round", FleetSummary(rows), remedies, directory)
        times.append(time.perf_counter() - started)
    path = folder / "fleet.html"
    path.write_text(page)
    return statistics.median(times), path


def in_browser(folder: Path, page: Path) -> list[str]:
    """The lines on opening and searching the page of 10,000 models."""
    lines = ["| 10,000 models in Chromium | opened in, s | at most | search, ms | at most |"]
    lines.append("|---|---|---|---|---|")
    for label, width in (("desk, 1280 pixels", 1280), ("phone, 390 pixels", 390)):
        browser = Chromium(folder / label[:4])
        browser.screen(width)
        browser.open("about:blank")
        opened = statistics.median(browser.open(page) for _ in range(_RUNS))
        search = statistics.median(browser.evaluate(_SEARCH) for _ in range(_RUNS))
        lines.append(f"| {label} | {opened:.2f} | 1.5 | {search:.0f} | 100 |")
        browser.close()
    return lines


if __name__ == "__main__":
    main()
