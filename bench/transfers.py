"""The speed of fetching a large model over the loopback, against curl.

python bench/transfers.py [RUNS]
"""

from __future__ import annotations

import hashlib
import http.server
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import results

_ROOT = Path(__file__).parents[1]
_BYTES = 500 * 10**6
_CHUNK = 1024 * 1024
_LEAST_SHARE = 0.70
_MOST_MEMORY = 100

# Times the transfer alone, as curl does; the memory is that of the whole process.
_FETCH = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from numerai_predict.storage.sources import source_of
from numerai_predict.storage.retry import TransferPolicy
from numerai_predict.contract.deadline import Deadline
import numerai_predict.storage.transfer.http, tenacity
started = time.perf_counter()
path = source_of(sys.argv[2]).fetch(Path(sys.argv[3]), TransferPolicy(Deadline.after(60)))
seconds = time.perf_counter() - started
status = open("/proc/self/status").read()
print(seconds, status.split("VmHWM:")[1].split()[0], path.stat().st_size)
"""

_SERVE = """
import sys
sys.path.insert(0, sys.argv[1])
import transfers
transfers.serve(sys.argv[2], sys.argv[3])
"""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    file: str
    etag: str

    def do_GET(self):
        size = Path(self.file).stat().st_size
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.send_header("Connection", "close")
        if self.path.startswith("/s3/"):
            self.send_header("ETag", self.etag)
            self.send_header("x-amz-request-id", "BENCH")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        with open(self.file, "rb") as file:
            self.connection.sendfile(file)

    def log_message(self, *_):
        pass


def serve(file, etag):
    """Print the port, and serve the file until killed."""
    handler = type("Handler", (_Handler,), {"file": file, "etag": etag})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, etag = _model(folder)
        command = [sys.executable, "-c", _SERVE, str(Path(__file__).parent), str(model), etag]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
            try:
                lines = [_measure(f"{url}{path}", title, folder, runs) for path, title in _KINDS]
            finally:
                server.terminate()
    results.keep(
        "Fetching, against curl (`make bench_transfers`)",
        [
            f"A model of {_BYTES // 10**6} MB from a server on this machine into a file, medians "
            f"of {runs} alternating runs; seconds of the transfer, memory of the whole process.",
            "",
            "| response | curl, s | here, s | of curl's speed | at least | memory, MB | at most |",
            "|---|---|---|---|---|---|---|",
            *lines,
        ],
    )


_KINDS = (
    ("/s3/model.pkl", "as of S3: with its MD5 as ETag, which is verified"),
    ("/model.pkl", "with its length only"),
)


def _model(folder):
    path, digest = folder / "model.pkl", hashlib.md5()
    with open(path, "wb") as file:
        for _ in range(_BYTES // _CHUNK + 1):
            chunk = os.urandom(_CHUNK)[: _BYTES - file.tell()]
            digest.update(chunk)
            file.write(chunk)
    return path, f'"{digest.hexdigest()}"'


def _measure(url, title, folder, runs):
    pairs = [(_curl(url, folder), _ours(url, folder)) for _ in range(runs + 1)][1:]
    curl = statistics.median(pair[0] for pair in pairs)
    ours = statistics.median(pair[1][0] for pair in pairs)
    memory = max(pair[1][1] for pair in pairs)
    return (
        f"| {title} | {curl:.2f} | {ours:.2f} | {curl / ours:.0%} | {_LEAST_SHARE:.0%} "
        f"| {memory:.0f} | {_MOST_MEMORY} |"
    )


def _curl(url, folder):
    target = folder / "curl"
    command = ["curl", "--silent", "--fail", "--output", str(target), "-w", "%{time_total}", url]
    seconds = float(subprocess.run(command, check=True, capture_output=True).stdout)
    assert target.stat().st_size == _BYTES
    target.unlink()
    return seconds


def _ours(url, folder):
    target = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-c", _FETCH, str(_ROOT), url, str(target)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(printed[2]) == _BYTES
    for file in target.iterdir():
        file.unlink()
    return float(printed[0]), int(printed[1]) * 1024 / 10**6


if __name__ == "__main__":
    main()
