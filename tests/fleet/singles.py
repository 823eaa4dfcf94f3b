"""Run each model of a directory with predict.py, in the image that runs this program.

python singles.py PREDICT DIRECTORY DATA OUTPUT [OPTION ...]

Writes OUTPUT/NAME.json, and OUTPUT/NAME.csv if the predictions are valid.
"""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def run(model):
    with tempfile.TemporaryDirectory() as output:
        record = OUTPUT / f"{model.stem}.json"
        command = [sys.executable, PREDICT, "--model", model, "--result", record]
        command += ["--dataset", DATA / "live.parquet", "--output_dir", output, *OPTIONS]
        command += ["--benchmarks", DATA / "live_benchmark_models.parquet"]
        subprocess.run(list(map(str, command)), capture_output=True)
        path = json.loads(record.read_text())["predictions"]["path"]
        if path is not None:
            (OUTPUT / f"{model.stem}.csv").write_bytes(Path(path).read_bytes())


if __name__ == "__main__":
    PREDICT, FOLDER, DATA, OUTPUT = map(Path, sys.argv[1:5])
    OPTIONS = sys.argv[5:]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, sorted(FOLDER.iterdir())))
