"""`data get`: exact files, whole, hashed, recorded, and fetched again only where they changed."""

import json
import os
import subprocess
import sys

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
)
from numerai_predict.contract.job import DatasetFolders
from numerai_predict.data.catalogue import Catalogue, resolve
from numerai_predict.data.snapshot import FileProblem, Snapshot
from numerai_predict.storage.graphql import Api
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import source_of

NAMES = ["v5.2/features.json", "v5.2/live.parquet", "v5.2/train.parquet", "v5.3/live.parquet"]


@pytest.fixture
def tournament(web):
    """The tournament's API and its files; `files` and `round` are what a test changes."""
    files = {name: f"bytes of {name}".encode() for name in NAMES}
    state = {"round": 7}

    def answer(request):
        asked = json.loads(request.body)
        query, name = asked["query"], asked["variables"].get("filename")
        if "listDatasets" in query:
            data = {"listDatasets": list(files)}
        elif "rounds" in query:
            data = {"rounds": [{"number": state["round"]}]}
        else:
            data = {"dataset": f"{web.url}/files/{name}?X-Amz-Signature=SECRETOFTHEDATA"}
        return web.reply(json.dumps({"data": data}).encode())

    def serve(name):
        def reply(request):
            etag = f'"{hash(files[name])}"'
            if request.headers.get("If-None-Match") == etag:
                return web.reply(b"", 304, {"ETag": etag})
            return web.reply(files[name], 200, {"ETag": etag})

        return reply

    web.replies["/"] = web.replies[""] = answer
    for name in files:
        web.replies[f"/files/{name}"] = serve(name)
    web.files, web.state = files, state
    return web


@pytest.fixture
def get(tournament, tmp_path):
    """Have files in a directory; what was taken."""
    retry = RetryPolicy(2, Backoff(0.01, 0.02))
    policy = TransferPolicy(Deadline.after(20), retry)
    catalogue = Catalogue(Api(f"{tournament.url}/", policy))

    def take(*names, force=False):
        return Snapshot(tmp_path / "data").get(names, catalogue, policy, force)

    take.catalogue = catalogue
    return take


def downloads(web):
    return [request.path for request in web.requests if request.path.startswith("/files")]


def test_a_file_has_its_exact_name_and_an_entry_in_the_manifest(get, tmp_path, tournament):
    (taken,) = get("v5.2/train.parquet")
    assert taken.path == tmp_path / "data/v5.2/train.parquet"
    assert taken.path.read_bytes() == tournament.files["v5.2/train.parquet"]
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    entry = manifest["files"]["v5.2/train.parquet"]
    assert entry["round"] == 7
    assert len(entry["sha256"]) == 64
    assert entry["fetched"].endswith("Z")
    assert "SECRETOFTHEDATA" not in json.dumps(manifest)


def test_what_is_unchanged_is_reused_and_force_fetches_it(get, tournament):
    get("v5.2/train.parquet")
    (again,) = get("v5.2/train.parquet")
    assert again.reused
    assert tournament.requests[-1].headers.get("If-None-Match") or downloads(tournament)
    tournament.files["v5.2/train.parquet"] = b"other bytes"
    (changed,) = get("v5.2/train.parquet")
    assert not changed.reused
    assert changed.path.read_bytes() == b"other bytes"
    conditional = [r for r in tournament.requests if "If-None-Match" in r.headers]
    get("v5.2/train.parquet", force=True)
    assert [r for r in tournament.requests if "If-None-Match" in r.headers] == conditional


def test_live_data_are_those_of_the_current_round(get, tournament):
    (first,) = get("v5.2/live.parquet")
    tournament.state["round"] = 8
    tournament.files["v5.2/live.parquet"] = b"of round 8"
    (second,) = get("v5.2/live.parquet")
    assert (first.entry.round, second.entry.round) == (7, 8)
    assert second.path.read_bytes() == b"of round 8"


@pytest.mark.parametrize("damage", [b"changed bytes of ...", b"short", None])
def test_a_changed_file_is_fetched_again_and_reported_by_verify(get, tmp_path, damage):
    (taken,) = get("v5.2/train.parquet")
    snapshot = Snapshot(tmp_path / "data")
    assert snapshot.verify() == {}
    if damage is None:
        taken.path.unlink()
    else:
        taken.path.write_bytes(damage)
    problem = FileProblem.MISSING if damage is None else FileProblem.CHANGED
    assert snapshot.verify() == {"v5.2/train.parquet": problem}
    (again,) = get("v5.2/train.parquet")
    assert not again.reused
    assert snapshot.verify() == {}


def test_a_verification_reports_its_progress_before_each_file(get, tmp_path):
    get("v5.2/train.parquet")
    get("v5.2/live.parquet")
    snapshot, seen = Snapshot(tmp_path / "data"), []
    assert snapshot.verify(lambda done, total: seen.append((done, total))) == {}
    sizes = [entry.bytes for entry in snapshot.entries().values()]
    assert seen == [(0, sum(sizes)), (sizes[0], sum(sizes))]


def test_a_leftover_of_a_killed_run_is_removed(get, tmp_path):
    folder = tmp_path / "data/v5.2"
    folder.mkdir(parents=True)
    (folder / ".train.parquet.01234567.part").write_bytes(b"half")
    get("v5.2/train.parquet")
    assert [path.name for path in folder.iterdir()] == ["train.parquet"]


def test_processes_at_the_same_time_leave_one_whole_snapshot(tournament, tmp_path):
    program = "import sys; from numerai_predict.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = ["data", "get", "train", "live", "--data-dir", str(tmp_path / "data")]
    environment = {**os.environ, "NUMERAI_API_URL": f"{tournament.url}/"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, *words],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    assert [process.communicate(timeout=100) and process.returncode for process in started] == [
        0
    ] * len(started)
    assert Snapshot(tmp_path / "data").verify() == {}


def test_an_invalid_manifest_is_reported(get, tmp_path):
    get("v5.2/train.parquet")
    (tmp_path / "data/manifest.json").write_text("[]")
    with pytest.raises(DatasetUnavailable, match="expected the manifest") as failed:
        get("v5.2/train.parquet")
    assert "move it away" in failed.value.remedy


@pytest.mark.parametrize(
    ("names", "version", "words"),
    [
        (["train"], "v9", "there are v5.2, v5.3"),
        (["trian"], "v5.2", "it has features.json, live.parquet, train.parquet"),
        (["v5.3/train.parquet"], "v5.2", "none called 'v5.3/train.parquet'"),
        (["../x"], "v5.2", "none called '../x'"),
        ([""], "v5.2", "none called ''"),
    ],
)
def test_an_unknown_version_or_file_lists_those_that_there_are(names, version, words):
    with pytest.raises(DatasetUnavailable) as failed:
        resolve(names, version, NAMES)
    assert words in failed.value.message


def test_names_need_no_suffix_and_count_once():
    wanted = ["train", "train.parquet", "v5.2/train.parquet", "features"]
    assert resolve(wanted, "v5.2", NAMES) == ["v5.2/train.parquet", "v5.2/features.json"]


def test_an_unreachable_api_is_transient_and_reported(closed_port, tmp_path):
    policy = TransferPolicy(Deadline(), RetryPolicy(2, Backoff(0.01, 0.02)))
    catalogue = Catalogue(Api(f"http://127.0.0.1:{closed_port}/", policy))
    with pytest.raises(DatasetUnreachable, match="nothing listens there; gave up after 2"):
        catalogue.names()


def test_a_practice_server_that_stops_within_a_fetch_ends_it_after_a_few_attempts(closed_port):
    policy = TransferPolicy(Deadline.after(60), RetryPolicy(backoff=Backoff(0.01, 0.02)))
    catalogue = Catalogue(Api(f"http://127.0.0.1:{closed_port}/", policy))
    with pytest.raises(FetchFailed, match="gave up after 5 attempts") as failed:
        policy.repeat(lambda: catalogue.url("v5.2/live.parquet"), "fetch")
    assert not isinstance(failed.value, FetchInterrupted)
    assert "practice start" in failed.value.remedy


def test_a_directory_that_cannot_be_written_to_is_reported(get, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DatasetUnavailable, match="expected to write to") as failed:
        get("v5.2/train.parquet")
    assert "--data-dir" in failed.value.remedy


# What `data get` fetched is what runs use by name.


@pytest.fixture
def run_fetch(tournament, tmp_path, monkeypatch):
    """Fetch a data set by name, as a run does; the path, and what was logged."""
    monkeypatch.setenv("NUMERAI_API_URL", f"{tournament.url}/")

    def fetch(name="v5.2/live.parquet", cache=tmp_path / "cache"):
        folder = tmp_path / f"run-{len(list(tmp_path.glob('run-*')))}"
        folder.mkdir()
        lines = []
        policy = TransferPolicy(Deadline.after(30), log=lines.append)
        folders = DatasetFolders(tmp_path / "data", cache)
        return source_of(name, folders).fetch(folder, policy), lines

    return fetch


def bodies(web):
    """How many times a file itself was sent."""
    requests = [request for request in web.requests if request.path.startswith("/files")]
    return len([request for request in requests if "If-None-Match" not in request.headers])


def test_a_run_uses_the_file_of_the_snapshot(get, run_fetch, tournament, tmp_path):
    get("v5.2/live.parquet")
    sent = bodies(tournament)
    path, lines = run_fetch()
    assert path.read_bytes() == tournament.files["v5.2/live.parquet"]
    assert path.parent != tmp_path / "data" / "v5.2"
    assert lines == [
        f"v5.2/live.parquet: unchanged, from the snapshots in {tmp_path / 'data'}",
    ]
    assert bodies(tournament) == sent


def test_it_is_used_without_a_cache_too(get, run_fetch, tournament):
    get("v5.2/live.parquet")
    sent = bodies(tournament)
    run_fetch(cache=None)
    assert bodies(tournament) == sent


def test_live_data_of_an_earlier_round_are_fetched_again(get, run_fetch, tournament):
    get("v5.2/live.parquet")
    tournament.files["v5.2/live.parquet"] = b"of the next round"
    path, lines = run_fetch()
    assert path.read_bytes() == b"of the next round"
    assert lines == []
    path, lines = run_fetch()
    assert path.read_bytes() == b"of the next round"
    assert lines == ["v5.2/live.parquet: unchanged, from the cache"]


def test_of_two_copies_the_newest_is_used(get, run_fetch, tournament):
    run_fetch()
    tournament.files["v5.2/live.parquet"] = b"of the next round"
    get("v5.2/live.parquet")
    sent = bodies(tournament)
    path, lines = run_fetch()
    assert path.read_bytes() == b"of the next round"
    assert "from the snapshots" in lines[0]
    assert bodies(tournament) == sent


@pytest.mark.parametrize("damage", [b"other bytes of any length", b"", None])
def test_a_damaged_snapshot_is_not_used(get, run_fetch, tournament, damage):
    (fetched,) = get("v5.2/live.parquet")
    size = fetched.path.stat().st_size
    if damage is None:
        fetched.path.unlink()
    else:
        fetched.path.write_bytes((damage * size)[:size])
    path, _ = run_fetch()
    assert path.read_bytes() == tournament.files["v5.2/live.parquet"]


def test_a_snapshot_of_another_server_is_not_used(get, run_fetch, tournament, tmp_path):
    get("v5.2/live.parquet")
    manifest = tmp_path / "data" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(tournament.url, "https://elsewhere.example"))
    _, lines = run_fetch()
    assert lines == []


def test_a_manifest_of_an_earlier_version_is_used(get, run_fetch, tmp_path):
    get("v5.2/live.parquet")
    manifest = tmp_path / "data" / "manifest.json"
    document = json.loads(manifest.read_text())
    for entry in document["files"].values():
        del entry["server"]
    manifest.write_text(json.dumps(document))
    _, lines = run_fetch()
    assert "from the snapshots" in lines[0]


def test_a_manifest_that_cannot_be_read_does_not_stop_a_run(run_fetch, tournament, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.json").write_text("not json")
    path, _ = run_fetch()
    assert path.read_bytes() == tournament.files["v5.2/live.parquet"]
