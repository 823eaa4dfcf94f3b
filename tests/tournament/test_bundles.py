"""A bundle is compared with its manifest before anything of it reaches the tournament."""

import hashlib
import json

import pytest
from bundles import write_bundle

OTHER_PICKLE = ("model_unavailable", "expected the pickle of its manifest")
OTHER_VERSION = ("dataset_unavailable", "version v5.2 in place of v5.1")
OTHER_SERVER = ("dataset_unavailable", "in place of https://api-tournament.numer.ai")


@pytest.fixture
def command(numerai, practice, pickled, csv, tmp_path):
    """Run a command on a bundle; `submit` gets the record of a run of it."""

    def run(word, path, *options):
        name = practice.model()
        if word == "submit":
            predictions, record = csv(), tmp_path / "result.json"
            sha256 = hashlib.sha256(predictions.read_bytes()).hexdigest()
            facts = {
                "model": {
                    "source": str(path),
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                },
                "dataset": {"source": "v5.2/live.parquet"},
                "predictions": {"path": str(predictions), "sha256": sha256},
            }
            record.write_text(json.dumps(facts))
            path = record
        ended = numerai(word, path, "--model-name", name, *options)
        ended.sent = practice.store.rows(
            "SELECT * FROM tickets WHERE model = ?", practice.models[name]
        )
        return ended

    return run


@pytest.mark.parametrize("word", ["round", "submit", "upload"])
@pytest.mark.parametrize(
    ("model", "data", "reason"),
    [
        ({"sha256": "0" * 64}, {}, OTHER_PICKLE),
        ({}, {"version": "v5.1"}, OTHER_VERSION),
        ({}, {"server": "https://api-tournament.numer.ai"}, OTHER_SERVER),
    ],
    ids=["another pickle", "another version", "another server"],
)
def test_a_bundle_that_is_not_what_its_manifest_says_is_refused_and_nothing_is_sent(
    command, pickled, word, model, data, reason
):
    # An upload takes the manifest's version by default.
    options = ("--data-version", "v5.2") if word == "upload" else ()
    verdict, found = reason
    ended = command(word, write_bundle(pickled(), model, data), *options)
    assert f"verdict  {verdict}" in ended.verdict
    assert found in ended.verdict
    assert ended.sent == []


@pytest.mark.parametrize("word", ["round", "submit", "upload"])
def test_data_of_another_version_can_be_allowed(command, pickled, word):
    path = write_bundle(pickled(), data={"version": "v5.1"})
    options = ("--data-version", "v5.2", "--allow-version-mismatch")
    ended = command(word, path, *options)
    assert ended.code == 0, ended.log
    assert "warning" in ended.log
    assert OTHER_VERSION[1] in ended.log
    assert len(ended.sent) == 1


def test_a_bundle_is_hosted_with_the_data_version_of_its_manifest(
    command, pickled, practice, numerai
):
    path = write_bundle(pickled(), data={"version": "v5.3"})
    name = practice.model()
    assert numerai("upload", path, "--model-name", name).code == 0
    row = practice.store.row("SELECT * FROM pickles WHERE model = ?", practice.models[name])
    assert row["version"] == "v5.3"
