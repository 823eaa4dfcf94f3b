"""A store belongs to one server of the tournament; an earlier version's is the real one's."""

import json
from pathlib import Path

import pytest

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.server_name import REAL_SERVER
from numerai_predict.storage.directories import data_directory
from numerai_predict.storage.snapshot_manifest import SnapshotEntry
from numerai_predict.storage.snapshot_server import (
    common_server,
    label_for,
    require_server,
    servers_by_file,
)

PRACTICE = "http://127.0.0.1:8125"
FILES = "https://numerai-datasets.s3.amazonaws.com"
OTHER = "https://api.example.org"
PREVIOUS = Path(__file__).parents[1] / "previous_version/snapshot"


@pytest.fixture
def store(tmp_path):
    """A store with one file for each of the servers, under the name of its number."""

    def make(*servers, label=None):
        files = {
            f"v5.2/{number}.parquet": {**vars(_entry(server))}
            for number, server in enumerate(servers)
        }
        document = {"form": 1, "files": files} | ({} if label is None else {"server": label})
        (tmp_path / "manifest.json").write_text(json.dumps(document))
        return tmp_path

    return make


def _entry(server):
    return SnapshotEntry("0" * 64, 3, 1, '"e"', 1, "t", server)


def test_a_new_store_takes_the_data_of_any_server(tmp_path):
    for server in (REAL_SERVER, PRACTICE, OTHER):
        require_server(tmp_path, server)
    assert servers_by_file(tmp_path) == {}


def test_a_store_of_the_previous_version_is_the_real_tournaments():
    assert set(servers_by_file(PREVIOUS).values()) == {REAL_SERVER}
    require_server(PREVIOUS, REAL_SERVER)
    with pytest.raises(DatasetUnavailable, match="found those of https://api-tournament"):
        require_server(PREVIOUS, PRACTICE)


@pytest.mark.parametrize(
    ("servers", "belongs"),
    [([None], REAL_SERVER), ([FILES, None], REAL_SERVER), ([PRACTICE], PRACTICE)],
)
def test_a_store_without_a_server_belongs_to_that_of_its_files(store, servers, belongs):
    assert set(servers_by_file(store(*servers)).values()) == {belongs}


@pytest.mark.parametrize(
    ("label", "server", "remedy"),
    [
        (PRACTICE, REAL_SERVER, "practice env"),
        (REAL_SERVER, PRACTICE, "unset NUMERAI_API_URL"),
        (OTHER, REAL_SERVER, "NUMERAI_DATA_DIR"),
    ],
)
def test_mixing_is_refused_with_the_remedy(store, label, server, remedy):
    folder = store(FILES, label=label)
    require_server(folder, label)
    with pytest.raises(DatasetUnavailable, match=f"expected data of {server}") as refused:
        require_server(folder, server)
    assert label in refused.value.message
    assert remedy in refused.value.remedy
    assert "--data-dir" in refused.value.remedy


def test_the_practice_tournament_may_have_another_port_after_a_restart(store):
    require_server(store(PRACTICE, label=PRACTICE), "http://127.0.0.1:40001")


def test_a_mixed_store_of_the_previous_version_is_the_real_tournaments_to_repair(store):
    folder = store(FILES, PRACTICE)
    require_server(folder, REAL_SERVER)
    with pytest.raises(DatasetUnavailable):
        require_server(folder, PRACTICE)
    with pytest.raises(DatasetUnavailable, match="expected files of one server") as refused:
        common_server(["v5.2/0.parquet", "v5.2/1.parquet"], servers_by_file(folder))
    assert "data get --refetch" in refused.value.remedy
    assert common_server(["v5.2/1.parquet", "unknown"], servers_by_file(folder)) == PRACTICE
    assert common_server(["unknown"], servers_by_file(folder)) is None


@pytest.mark.parametrize(
    ("server", "entries", "known", "label"),
    [
        (REAL_SERVER, [FILES, None], None, REAL_SERVER),
        (REAL_SERVER, [FILES, PRACTICE], None, None),
        (PRACTICE, [PRACTICE], None, PRACTICE),
        (OTHER, [FILES], None, OTHER),
        (PRACTICE, [PRACTICE], "http://localhost:1", PRACTICE),
    ],
)
def test_a_store_is_labelled_once_all_its_files_are_those_of_the_server(
    server, entries, known, label
):
    named = {str(number): _entry(each) for number, each in enumerate(entries)}
    assert label_for(server, named, known) == label


@pytest.mark.parametrize("label", [7, [], {}, "h" * 1000])
def test_a_server_that_is_no_name_makes_a_manifest_that_cannot_be_read(store, label):
    with pytest.raises(DatasetUnavailable, match="expected the manifest of a snapshot"):
        servers_by_file(store(FILES, label=label))


def test_each_server_has_its_own_directory_and_the_real_one_keeps_its_own():
    variables = {"XDG_DATA_HOME": "/d", "XDG_STATE_HOME": "/s"}
    real = data_directory(variables)
    assert real == Path("/d/numerai-predict/data")
    assert data_directory({**variables, "NUMERAI_API_URL": REAL_SERVER + "/"}) == real
    practice = data_directory({**variables, "NUMERAI_API_URL": PRACTICE})
    assert practice == Path("/s/numerai-predict/practice/snapshots")
    assert data_directory(variables, PRACTICE) == practice
    other = data_directory({**variables, "NUMERAI_API_URL": f"{OTHER}:99/graphql"})
    assert other == Path("/d/numerai-predict/data-api.example.org_99")
    assert data_directory({**variables, "NUMERAI_DATA_DIR": "/x"}, PRACTICE) == Path("/x")
