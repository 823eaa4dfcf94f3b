"""Make the corpus, and run it: each Python's pickles on every Python, by the real runner.

    python tests/inspection/matrix.py [--make] [--run] [--shapes N]

`--make` makes the corpus again with the interpreters on this machine; `--run` runs it and
keeps the table in tests/inspection/MATRIX.md. Environments are made in `.inspection/`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from numerai_predict.inspection.images import supported_pythons  # noqa: E402
from numerai_predict.inspection.inspect import inspect_pickle  # noqa: E402

DIRECTORY = Path(__file__).parent
CORPUS = DIRECTORY / "corpus"
ENVIRONMENTS = ROOT / ".inspection"
CLOUDPICKLES = {"2.2": "2.2.1", "3.1": "3.1.1"}
# Too old for an image, but an answer may name them: their pickles are called without the runner.
OLD_PYTHONS = ("3.8", "3.9")

_REQUIREMENTS = {
    "runner": "numpy>=1.26,<2.3 pandas>=2.2,<3 pyarrow requests numerapi zstandard cloudpickle",
    "models": "lightgbm~=4.6.0 scikit-learn~=1.6.1 xgboost-cpu~=3.0.5 catboost~=1.2.8",
    "torch": "torch==2.13.0",
}
_OLD_REQUIREMENTS = {"runner": "pandas cloudpickle"}
_CALL = """
import json, sys, zipfile, io, pickle
import pandas as pd
frame = pd.read_json(sys.argv[2], orient="split", dtype=False).astype("int8")
archive = zipfile.ZipFile(sys.argv[1])
for name in sys.argv[3:]:
    returned = pickle.loads(archive.read(name + ".pkl"))(frame)
    print(json.dumps([round(float(value), 6) for value in returned.iloc[:, 0]]))
"""


def pickles():
    """Every pickle of the corpus: the Python and cloudpickle, the shape, its bytes, its result."""
    for path in sorted(CORPUS.glob("*.zip")):
        python, cloudpickle = path.stem[2:].split("-cloudpickle")
        with zipfile.ZipFile(path) as archive:
            expected = json.loads(archive.read("expected.json"))
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    shape = name[: -len(".pkl")]
                    yield python, cloudpickle, shape, archive.read(name), expected[shape]


def interpreters(pythons):
    """The interpreters on this machine by Python."""
    found = {}
    for python in pythons:
        managed = sorted(Path.home().glob(f".pyenv/versions/{python}.*/bin/python"))
        path = str(managed[-1]) if managed else shutil.which(f"python{python}")
        if path:
            found[python] = path
    return found


def environment(python, interpreter, requirements):
    """An environment of that Python with the libraries that can be had; its interpreter."""
    folder = ENVIRONMENTS / f"py{python}"
    ready = folder / "ready.json"
    if not ready.exists():
        print(f"making {folder}, once", flush=True)
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        missing = {}
        for name, packages in requirements.items():
            command = [folder / "bin/pip", "install", "-qq", *packages.split()]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                missing[name] = packages
        ready.write_text(json.dumps(missing))
    for packages in json.loads(ready.read_text()).values():
        print(f"Python {python}: {packages} cannot be installed")
    return str(folder / "bin/python")


def make_corpus():
    CORPUS.mkdir(exist_ok=True)
    for python, interpreter in interpreters(supported_pythons()).items():
        python_executable = environment(python, interpreter, _REQUIREMENTS)
        for name, version in CLOUDPICKLES.items():
            folder = ENVIRONMENTS / f"cloudpickle{name}"
            if not folder.exists():
                command = [
                    python_executable,
                    "-m",
                    "pip",
                    "install",
                    "-qq",
                    "--no-deps",
                    "--target",
                    folder,
                ]
                subprocess.run([*command, f"cloudpickle=={version}"], check=True)
            path = CORPUS / f"py{python}-cloudpickle{name}.zip"
            subprocess.run(
                [python_executable, DIRECTORY / "shapes.py", path],
                check=True,
                env={**os.environ, "PYTHONPATH": str(folder)},
            )


def confusion():
    """Rows: who made it; columns: the answer."""
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.pkl")
        for python, cloudpickle, _, data, _ in pickles():
            path.write_bytes(data)
            legal = inspect_pickle(path).pythons.legal
            counts[f"{python}, cloudpickle {cloudpickle}", ", ".join(legal or ("unknown",))] += 1
    makers = list(dict.fromkeys(maker for maker, _ in counts))
    answers = sorted({answer for _, answer in counts}, key=lambda answer: (answer[-4:], answer))
    lines = [f"| made by | {' | '.join(answers)} |", "|---" * (len(answers) + 1) + "|"]
    for maker in makers:
        lines.append(f"| {maker} | {' | '.join(str(counts[maker, a] or '') for a in answers)} |")
    return lines


def run_matrix(shapes):
    """Rows: made by; columns: run on. Each cell: how the runs ended, and what was wrong."""
    pythons = interpreters(supported_pythons())
    environments = {p: environment(p, path, _REQUIREMENTS) for p, path in pythons.items()}
    counts, wrong = Counter(), []
    folder = Path(tempfile.mkdtemp())
    subprocess.run(
        [
            next(iter(environments.values())),
            "-c",
            "import sys; sys.path[0] = sys.argv[1]; import shapes; "
            "shapes.live().to_parquet(sys.argv[2]); "
            "shapes.live().to_json(sys.argv[3], orient='split')",
            DIRECTORY,
            folder / "live.parquet",
            folder / "live.json",
        ],
        check=True,
    )
    chosen = [each for each in pickles() if not shapes or each[2] in shapes]
    for number, (made, cloudpickle, shape, data, expected) in enumerate(chosen):
        model = folder / "model.pkl"
        model.write_bytes(data)
        legal = inspect_pickle(model).pythons.legal
        for python, interpreter in environments.items():
            fault, end = _run(interpreter, model, folder, python in legal, legal, expected)
            counts[made, python, end] += 1
            if fault:
                wrong.append(f"{shape} of {made} (cloudpickle {cloudpickle}) on {python}: {fault}")
                print(wrong[-1], flush=True)
        if number % 20 == 0:
            print(f"{number} of {len(chosen)}", flush=True)
    old_counts, old_wrong = _run_old(folder, chosen)
    shutil.rmtree(folder)
    return _run_lines(environments, counts + old_counts, wrong + old_wrong)


def _run(interpreter, model, folder, is_legal, legal, expected):
    """What was wrong with a run, if anything, and how it ended in a word."""
    result, output = folder / "result.json", folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    result.unlink(missing_ok=True)
    command = [interpreter, ROOT / "predict.py", "--model", model, "--output_dir", output]
    live = folder / "live.parquet"
    command += ["--dataset", live, "--benchmarks", live, "--result", result]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return "it hung", "hang"
    record = json.loads(result.read_text()) if result.exists() else {}
    end = record.get("verdict", f"exit {ended.returncode}")
    if is_legal:
        if ended.returncode:
            return ended.stderr[-500:], end
        (csv,) = output.glob("*.csv")
        rows = [line.rsplit(",", 1) for line in csv.read_text().splitlines()[1:]]
        found = [round(float(value), 6) for _, value in rows]
        return (None, end) if found == expected else (f"other results: {found[:3]}", "other")
    image = f"numerai_predict_py_{legal[-1].replace('.', '_')}"
    if ended.returncode != 12 or image not in record["remedy"]:
        return f"exit {ended.returncode}: {ended.stderr[-500:]}", end
    return None, end


def _run_old(folder, chosen):
    """Call what is said to be legal for an older Python on that Python, without the runner."""
    counts, wrong = Counter(), []
    for python, interpreter in interpreters(OLD_PYTHONS).items():
        python_executable = environment(python, interpreter, _OLD_REQUIREMENTS)
        for made, cloudpickle, shape, data, expected in chosen:
            model = folder / "model.pkl"
            model.write_bytes(data)
            if python not in (inspect_pickle(model).pythons.legal or ()) or shape.startswith(
                "model_of"
            ):
                continue
            archive = CORPUS / f"py{made}-cloudpickle{cloudpickle}.zip"
            ended = subprocess.run(
                [python_executable, "-c", _CALL, archive, folder / "live.json", shape],
                capture_output=True,
                text=True,
                check=False,
            )
            equal = ended.returncode == 0 and json.loads(ended.stdout) == expected
            # No library of numpy's or pandas' present form is to be had for so old a Python.
            lacks = "ModuleNotFoundError: No module named" in ended.stderr
            end = "ok" if equal else "without its libraries" if lacks else "other"
            counts[made, python, end] += 1
            if end == "other":
                wrong.append(f"{shape} of {made} on {python}: {ended.stderr[-300:]}")
    return counts, wrong


def _run_lines(environments, counts, wrong):
    pythons = [*sorted({p for _, p, _ in counts} - set(environments)), *environments]
    lines = [f"| made by | {' | '.join(f'on {p}' for p in pythons)} |"]
    lines.append("|---" * (len(pythons) + 1) + "|")
    for made in dict.fromkeys(made for made, _, _ in counts):
        cells = []
        for python in pythons:
            ends = {e: n for (m, p, e), n in counts.items() if (m, p) == (made, python)}
            cells.append(", ".join(f"{n} {end}" for end, n in sorted(ends.items())))
        lines.append(f"| {made} | {' | '.join(cells)} |")
    lines += ["", f"Runs that ended otherwise than the inspection said: {len(wrong)}."]
    return [*lines, *(f"- {each}" for each in wrong)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--shapes", nargs="*")
    options = parser.parse_args()
    if options.make:
        make_corpus()
    lines = ["# What the inspection says of the corpus, and what then happens", ""]
    lines += ["Made by `make test_inspection`. Columns: for which Pythons the code is legal.", ""]
    lines += confusion()
    print("\n".join(lines), flush=True)
    if options.run:
        started = time.time()
        table = run_matrix(options.shapes)
        spent = f"{(time.time() - started) / 60:.0f} minutes"
        found = ["", "## Each pickle on every Python, by the real runner", ""]
        found += [f"In {spent}; on 3.8 and 3.9 the bare function, where the answer has them.", ""]
        print("\n".join(table))
        if not options.shapes:
            (DIRECTORY / "MATRIX.md").write_text("\n".join([*lines, *found, *table]) + "\n")
        return 1 if "ended otherwise than the inspection said: 0." not in "\n".join(table) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
