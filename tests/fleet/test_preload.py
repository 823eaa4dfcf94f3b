"""What a worker refuses to read before any model runs."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

# In a process of its own: here, the allocators have memory left of earlier tests.
PROGRAM = """
import sys
from numerai_predict.fleet.worker import preload
preload.OVERHEAD_BYTES = int(sys.argv[2])
print(preload._read(sys.argv[1]).shape)
"""


@pytest.fixture
def read(tmp_path):
    """Read 200 MB of equal texts, in a file of a few kilobytes, within so many MiB."""
    path = tmp_path / "live.parquet"
    texts = pa.array(["x" * 1_000_000] * 200)
    pq.write_table(pa.table({"feature_texts": texts}), path, compression="zstd")

    def run(mebibytes):
        argv = [sys.executable, "-c", PROGRAM, path, str(mebibytes * 1024**2)]
        return subprocess.run(argv, capture_output=True, text=True)

    return run


@pytest.mark.process
def test_data_that_unpack_to_more_than_a_worker_may_hold_are_refused(read):
    assert read(2_000).stdout == "(200, 1)\n"
    refused = read(100).stderr
    assert "DatasetUnavailable" in refused
    assert "within 100.0 MiB, found ArrowMemoryError for live.parquet" in refused
