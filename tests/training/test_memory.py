"""LightGBM's data set takes half a byte per value; `make bench_train` measures a whole training."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.process

ROWS, FEATURES = 100_000, 600
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from numerai_predict.data.era_table import EraTable
from numerai_predict.training.trainers import interface
from numerai_predict.training.trainers.lightgbm import LightGBM
from numerai_predict.training.trainers.parameters import LightGBMSettings

interface._COLUMNS_BYTES = 1024**2  # small beside the data, as it is on real ones
names = [f"feature_{number}" for number in range(int(sys.argv[2]))]
history = EraTable.of([Path(sys.argv[1])], names)
trainer = LightGBM(LightGBMSettings(), "cpu", 1)


def resident():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def rows(features):
    count = len(history.eras)
    mask, target = np.ones(count, bool), np.zeros(count, np.float32)
    return interface.TrainingRows(history, mask, features, target)


trainer.load(rows(names[:8]))  # what libraries allocate once
before = resident()
loaded = trainer.load(rows(names))
print(resident() - before, loaded.num_data(), loaded.num_feature())
"""


def test_a_data_set_takes_half_a_byte_a_value(tmp_path):
    random = np.random.default_rng(1)
    columns = {"id": [f"n{row}" for row in range(ROWS)], "era": ["0001"] * ROWS}
    blocks = [random.integers(0, 5, ROWS, dtype=np.int8) for _ in range(20)]
    features = {f"feature_{number}": blocks[number % 20] for number in range(FEATURES)}
    pq.write_table(pa.table({**columns, **features}), tmp_path / "train.parquet")
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "train.parquet"), str(FEATURES)],
        capture_output=True,
        text=True,
        check=True,
    )
    grown, rows, features = map(int, ended.stdout.split())
    assert (rows, features) == (ROWS, FEATURES)
    assert 0.4 < grown / (ROWS * FEATURES) < 0.7
