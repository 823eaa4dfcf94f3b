"""The memory that each row costs a trainer, at the peak of the whole training.

python bench/trainers.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import results
from train import FEATURES, measured, write

from numerai_predict.training.trainers.registry import TRAINER_NAMES

SIZES = (180_000, 360_000)


def main() -> None:
    """Measure, print and store the results."""
    inputs = Path(__file__).parent / ".inputs"
    inputs.mkdir(exist_ok=True)
    peaks: dict[str, list[tuple[int, int]]] = {name: [] for name in TRAINER_NAMES}
    with tempfile.TemporaryDirectory(prefix="trainers-", dir=inputs) as name:
        folder = Path(name)
        for rows in SIZES:
            made = write(folder, rows)
            for trainer in TRAINER_NAMES:
                shutil.rmtree(folder / "model", ignore_errors=True)
                peaks[trainer].append((made, measured(folder, trainer)[0]))
    sizes = " | ".join(f"{made:,} rows" for made, _ in peaks[TRAINER_NAMES[0]])
    lines = [
        f"{FEATURES:,} int8 features; two models of 2 boosting rounds, all other settings at",
        "their defaults. Peak is of the whole process, interpreter and libraries included.",
        "",
        f"| trainer | {sizes} | bytes per further row | of its features |",
        "|---|---|---|---|---|",
    ]
    for trainer, ((few, low), (many, high)) in peaks.items():
        slope = (high - low) / (many - few)
        lines.append(
            f"| {trainer} | {low / 1e9:.2f} GB | {high / 1e9:.2f} GB | {slope:,.0f} "
            f"| {slope / FEATURES:.2f} |"
        )
    results.keep("Trainers: memory (`make bench_trainers`)", lines)


if __name__ == "__main__":
    main()
