"""Data sets by name come from a cache that is never stale, and that no process can block."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed
from numerai_predict.storage.cache import Cache
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy

QUICK = RetryPolicy(4, Backoff(0.01, 0.05))


class At:
    """An address that is always the same."""

    def __init__(self, url):
        self.identity = url
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return f"{self.identity}?X-Amz-Signature=SECRET{self.asked}"


@pytest.fixture
def serve(web):
    """Serve bytes as S3 does: by ETag, and 304 to clients that have them."""

    def put(data, name="/v5.2/live.parquet", etag=None):
        etag = f'"{hashlib.md5(data).hexdigest()}"' if etag is None else etag

        def answer(request):
            headers = {"ETag": etag, "x-amz-request-id": "R"} if etag else {}
            if etag and request.headers.get("If-None-Match") == etag:
                return web.reply(b"", 304, headers)
            return web.reply(data, headers=headers)

        web.replies[name] = answer

    return put


@pytest.fixture
def fetch(web, tmp_path):
    def get(cache=tmp_path / "cache", name="/v5.2/live.parquet", log=print, **more):
        target = tmp_path / "live.parquet"
        target.unlink(missing_ok=True)
        policy = TransferPolicy(retry=QUICK, log=log)
        Cache(cache, **more).fetch(At(f"{web.url}{name}"), target, "live", policy)
        return target.read_bytes()

    return get


def bodies(web):
    return [request for request in web.requests if "If-None-Match" not in request.headers]


def test_the_same_data_are_downloaded_once(fetch, serve, web):
    serve(b"round 1")
    assert [fetch(), fetch(), fetch()] == [b"round 1"] * 3
    assert len(bodies(web)) == 1
    assert len(web.requests) == 3


def test_other_data_of_the_same_name_are_never_taken_from_the_cache(fetch, serve):
    serve(b"round 1")
    assert fetch() == b"round 1"
    serve(b"round 2")
    assert fetch() == b"round 2"
    serve(b"round 1")
    assert fetch() == b"round 1"


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_data_without_a_strong_etag_are_not_kept(fetch, serve, web, etag, tmp_path):
    serve(b"round 1", etag=etag)
    assert [fetch(), fetch()] == [b"round 1"] * 2
    assert len(bodies(web)) == 2
    assert list((tmp_path / "cache" / "objects").iterdir()) == []


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"other"), os.unlink])
def test_damaged_or_missing_objects_are_downloaded_again(fetch, serve, tmp_path, damage):
    serve(b"round 1")
    fetch()
    (stored,) = (tmp_path / "cache" / "objects").iterdir()
    damage(stored)
    assert fetch() == b"round 1"
    assert stored.read_bytes() == b"round 1"


@pytest.mark.parametrize("entry", [b"", b"{}", b"[1]", b'{"etag": 7, "sha256": "../../x"}'])
def test_a_broken_entry_is_as_none(fetch, serve, tmp_path, entry):
    serve(b"round 1")
    fetch()
    (name,) = (tmp_path / "cache" / "names").iterdir()
    name.write_bytes(entry)
    assert fetch() == b"round 1"


def test_what_was_not_used_for_longest_goes_first(fetch, serve, tmp_path):
    said = []
    for number in range(4):
        serve(bytes([number]) * 1000, f"/{number}")
    for number in (0, 1, 2, 0):
        fetch(name=f"/{number}", largest=3500)
        time.sleep(0.02)  # the order of use is that of modification times
    fetch(name="/3", largest=3500, log=said.append)
    kept = {path.read_bytes()[0] for path in (tmp_path / "cache" / "objects").iterdir()}
    assert kept == {0, 2, 3}
    assert "removed 1000 bytes" in said[-1]


def test_what_is_larger_than_the_cache_is_not_kept(fetch, serve, tmp_path):
    serve(b"x" * 1000)
    assert fetch(largest=999) == b"x" * 1000
    assert list((tmp_path / "cache" / "objects").iterdir()) == []


def test_a_directory_that_cannot_be_used_is_logged_and_not_needed(fetch, serve, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    said = []
    serve(b"round 1")
    assert fetch(cache=tmp_path / "file", log=said.append) == b"round 1"
    assert said == [f"no cache in {tmp_path / 'file'}: Not a directory"]


def test_a_read_only_home_is_done_without(fetch, serve, tmp_path):
    said = []
    serve(b"round 1")
    assert fetch(cache=Path("/proc/none"), log=said.append) == b"round 1"
    assert said[0].startswith("no cache in /proc/none: ")


def test_without_a_cache_the_data_are_downloaded_each_time(fetch, serve, web):
    serve(b"round 1")
    assert [fetch(cache=None), fetch(cache=None)] == [b"round 1"] * 2
    assert len(bodies(web)) == 2


def test_leftovers_of_a_killed_download_are_removed_by_the_next(fetch, serve, tmp_path):
    serve(b"round 1")
    fetch()
    (name,) = (tmp_path / "cache" / "names").iterdir()
    leftover = tmp_path / "cache" / "objects" / f".{name.stem}.0badcafe.part"
    leftover.write_bytes(b"half")
    serve(b"round 2")
    fetch()
    assert not leftover.exists()


def test_a_wait_for_another_process_ends_with_the_deadline(web, tmp_path, serve):
    serve(b"round 1")
    address = At(f"{web.url}/v5.2/live.parquet")
    cache = Cache(tmp_path / "cache")
    cache.fetch(address, tmp_path / "a", "live", TransferPolicy())
    (lock,) = (tmp_path / "cache" / "locks").iterdir()
    with open(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        deadline = Deadline.after(0.5)
        with pytest.raises(DeadlinePassed):
            cache.fetch(address, tmp_path / "b", "live", TransferPolicy(deadline))
        assert time.monotonic() - deadline.at < 1


FETCH = """
import sys
from pathlib import Path
from numerai_predict.contract.job import DatasetFolders
from numerai_predict.storage.sources import source_of
from numerai_predict.storage.retry import TransferPolicy
folder = Path(sys.argv[2])
folders = DatasetFolders(cache=Path(sys.argv[1]))
path = source_of("v5.2/live.parquet", folders).fetch(folder, TransferPolicy(log=print))
print(path.read_bytes() == Path(sys.argv[3]).read_bytes())
"""


@pytest.fixture
def processes(clean_environment, web, sample, tmp_path):
    """Start processes that want the same data set by its name."""
    data = (sample / "live.parquet").read_bytes()
    etag = f'"{hashlib.md5(data).hexdigest()}"'

    def name(request):
        url = f"{web.url}/data/live.parquet?X-Amz-Signature=SECRET"
        return web.reply(json.dumps({"data": {"dataset": url}}).encode())

    web.replies["/graphql"] = name

    def answer(request):
        if request.headers.get("If-None-Match") == etag:
            return web.reply(b"", 304)
        time.sleep(0.3)  # the others are there by then
        return web.reply(data, headers={"ETag": etag, "x-amz-id-2": "x"})

    web.replies["/data/live.parquet"] = answer

    def start(count):
        started = []
        for _ in range(count):
            folder = tmp_path / f"process-{len(list(tmp_path.glob('process-*')))}"
            folder.mkdir()
            words = [sys.executable, "-c", FETCH, tmp_path / "cache", folder]
            started.append(
                subprocess.Popen(
                    [*words, sample / "live.parquet"],
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**clean_environment, "NUMERAI_API_URL": f"{web.url}/graphql"},
                )
            )
        return started

    return start


def downloads(web):
    asked = [request for request in web.requests if request.path == "/data/live.parquet"]
    return [request for request in asked if "If-None-Match" not in request.headers]


def test_ten_processes_that_want_the_same_data_set_download_it_once(processes, web):
    started = processes(10)
    said = [process.communicate(timeout=100)[0] for process in started]
    assert [words.splitlines()[-1] for words in said] == ["True"] * 10
    assert len(downloads(web)) == 1
    assert sum("from the cache" in words for words in said) == 9
    assert "SECRET" not in str(said)


def test_a_killed_downloader_blocks_no_other(processes, web):
    (first,) = processes(1)
    while not downloads(web):
        assert first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    (second,) = processes(1)
    assert second.communicate(timeout=60)[0].splitlines()[-1] == "True"
    assert len(downloads(web)) == 2


def test_an_entry_that_names_a_file_elsewhere_does_not_have_it_removed(fetch, serve, tmp_path):
    serve(b"round 1")
    fetch()
    (name,) = (tmp_path / "cache" / "names").iterdir()
    (tmp_path / "thesis").write_bytes(b"mine")
    entry = {**json.loads(name.read_bytes()), "sha256": "../../thesis"}
    name.write_text(json.dumps(entry))
    assert fetch() == b"round 1"
    assert (tmp_path / "thesis").read_bytes() == b"mine"
