"""`numerai-predict registry`, and references to its models in other commands."""

import json
import sys

import pytest

from numerai_predict.data.synthetic import SampleShape, write_sample

ONE, TWO = "one_argument.pkl", "two_arguments.pkl"


@pytest.fixture
def models(request):
    return request.config.rootpath / "tests/models" / "py{}.{}".format(*sys.version_info)


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory):
    """A directory of data snapshots with v5.2."""
    directory = tmp_path_factory.mktemp("snapshots")
    shape = SampleShape(live_rows=200, rows=20, train_eras=2, validation_eras=2, features=60)
    write_sample(directory / "v5.2", shape)
    return directory


@pytest.fixture
def registry(numerai, tmp_path):
    """Runs a sub-command that must end with a code; its output and its last line of log."""

    def run(*words, code=0, command="registry", **variables):
        ended = numerai(
            *(command, *words),
            NUMERAI_REGISTRY=str(tmp_path / "registry"),
            DOCKER="false",
            **variables,
        )
        assert ended.returncode == code, ended.stderr + ended.stdout
        return ended.stdout, ended.stderr.splitlines()[-1] if ended.stderr else ""

    return run


def test_a_pickle_is_added_listed_promoted_and_rolled_back(registry, models, snapshots):
    assert registry("list")[0] == "no models: `numerai-predict registry add PATH NAME` adds one\n"
    assert registry("add", models / ONE, "mine")[1].endswith("added as registry:mine@1")
    added = registry("add", models / ONE, "mine", "--alias", "candidate")[1]
    assert "registry:mine@2, which is mine@candidate" in added
    data = ("--data-dir", snapshots)
    registry("promote", "mine@1", *data, MAX_ABS_EXPOSURE="0.9")
    words = ("promote", "mine@candidate", *data, "--reason", "newer")
    gates, _ = registry(*words, MAX_ABS_EXPOSURE="0.9", code=103)
    assert "blocked comparison: Cannot tell which is better" in gates
    gates, last = registry(*words, "--require", "not-worse", MAX_ABS_EXPOSURE="0.9")
    assert last.endswith("mine@production is version 2")
    assert [line.split(":")[0] for line in gates.splitlines()] == [
        "passed  data version",
        "passed  run",
        "passed  submission gates",
        "passed  comparison",
    ]
    assert "the eras are too few" in gates
    assert registry("rollback", "mine")[1].endswith("mine@production is version 1 again")
    shown = registry("show", "mine")[0]
    for event in ("version 2 aliased production: newer", "version 1 rolled back production"):
        assert event in shown


def test_no_version_is_promoted_while_a_gate_blocks_it_without_a_reason(registry, models, tmp_path):
    registry("add", models / ONE, "mine")
    printed, last = registry("promote", "mine@1", "--data-dir", tmp_path / "none", code=103)
    assert "blocked run: expected " in printed
    assert "`numerai-predict data get live live_benchmark_models`" in printed
    assert "promotion_refused (exit 103)" in last
    forced = ("--data-dir", tmp_path / "none", "--force", "no data here")
    assert registry("promote", "mine@1", *forced)[1].endswith("mine@production is version 1")
    assert "aliased production: no data here" in registry("show", "mine")[0]


def test_a_promotion_needs_the_approval_that_is_configured(registry, models, snapshots):
    registry("add", models / ONE, "mine")
    words = ("promote", "mine@1", "--data-dir", snapshots)
    settings = {"MAX_ABS_EXPOSURE": "0.9", "NUMERAI_PROMOTION_APPROVAL": "required"}
    printed, _ = registry(*words, code=103, **settings)
    assert "blocked approval: missing: --approved-by NAME" in printed
    assert "passed  approval: by Ada" in registry(*words, "--approved-by", "Ada", **settings)[0]
    assert "aliased production: approved by Ada" in registry("show", "mine")[0]


@pytest.mark.parametrize("confidence", ["2", "much", "nan"])
def test_a_confidence_is_a_share(registry, models, confidence):
    registry("add", models / ONE, "mine")
    _, last = registry("promote", "mine@1", "--confidence", confidence, code=2)
    assert "expected a confidence from 0.5 to 0.999, like 0.95" in last


def test_a_model_that_fails_is_blocked_by_the_gate_of_its_run(registry, snapshots, pickle_model):
    def predict(live_features):
        raise ValueError("broken")

    registry("add", pickle_model(predict), "mine")
    printed, _ = registry("promote", "mine@1", "--data-dir", snapshots, code=103)
    assert "blocked run: Python" in printed
    assert "model_error: the model raised ValueError: broken" in printed


@pytest.mark.parametrize(
    ("command", "words"), [("run", "The first of 1,000 predictions"), ("inspect", "predict_alone")]
)
def test_other_commands_take_a_reference_for_a_pickle(registry, models, command, words):
    registry("add", models / ONE, "mine", "--alias", "candidate")
    assert words in registry("registry:mine@candidate", command=command)[0]


def test_a_record_names_the_version_that_ran(registry, models, tmp_path):
    registry("add", models / ONE, "mine")
    registry("registry:mine@1", "--result", tmp_path / "record.json", command="run")
    model = json.loads((tmp_path / "record.json").read_text())["model"]
    assert model["source"] == "registry:mine@1"


def test_an_unknown_model_or_a_wrong_reference_is_named(registry, models):
    registry("add", models / ONE, "mine")
    _, last = registry("registry:mime@1", command="run", code=100)
    assert "none of the name mime; there are: mine" in last
    _, last = registry("registry:mine@production", command="run", code=100)
    assert "the versions 1 and the aliases none" in last
    _, last = registry("registry:a/b", command="run", code=2)
    assert "expected NAME, NAME@ALIAS or NAME@NUMBER" in last


def test_a_bundle_whose_pickle_was_swapped_is_not_added(registry, models, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "model.pkl").write_bytes((models / ONE).read_bytes())
    (bundle / "manifest.json").write_text(json.dumps({"model": {"sha256": "0" * 64}}))
    _, last = registry("add", bundle, "mine", code=10)
    assert "000000000000" in last
    assert "other bytes" in last


def test_a_damaged_registry_is_found_by_verify(registry, models, tmp_path):
    registry("add", models / ONE, "mine")
    assert registry("verify")[1].endswith("1 version(s) of 1 model(s) match their hashes")
    (stored,) = (path for path in (tmp_path / "registry/objects").rglob("*") if path.is_file())
    stored.chmod(0o644)
    stored.write_bytes(b"other")
    assert "corrupt_version (exit 102)" in registry("verify", code=102)[1]
    assert "corrupt_version (exit 102)" in registry("registry:mine@1", command="run", code=102)[1]


def test_a_model_whose_events_are_damaged_hides_no_other(registry, models, tmp_path):
    for name in ("first", "second", "third"):
        registry("add", models / ONE, name)
    (tmp_path / "registry/models/second/events/00000001.json").write_text('{"number": 1}')
    shown, last = registry("list", code=101)
    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["first", "third"]
    assert "models/second/events/00000001.json" in last
    found = json.loads(registry("list", "--json", code=101)[0])
    assert [each["model"] for each in found] == ["first", "third"]
    assert "found 1 not" in registry("verify", code=102)[1]
    assert "registry_unavailable" in registry("gc", code=101)[1]


def test_old_versions_go_and_needed_ones_stay(registry, models):
    for _ in range(4):
        registry("add", models / ONE, "mine")
    registry("alias", "mine@1", "baseline")
    assert registry("gc", "--keep", 1)[1].endswith("removed 2 version(s) and 0 stored content(s)")
    found = json.loads(registry("list", "--json")[0])
    assert [each["version"] for each in found] == [1, 4]
    assert found[0]["aliases"] == ["baseline"]


def test_a_version_is_exported_as_it_was_added(registry, models, tmp_path):
    registry("add", models / TWO, "mine")
    registry("tag", "mine@1", "author=me")
    registry("export", "mine@1", "exported")
    assert (tmp_path / "exported/model.pkl").read_bytes() == (models / TWO).read_bytes()
    assert "save_failed" in registry("export", "mine@1", "exported", code=41)[1]
    assert "tags: author=me" in registry("show", "mine@1")[0]


@pytest.mark.parametrize("words", [("alias", "mine@1", "production"), ("tag", "mine@1", "author")])
def test_words_that_do_not_fit_are_refused(registry, words):
    assert "expected" in registry(*words, code=2)[1]


def test_text_of_others_in_the_history_is_printed_inert(registry, models):
    registry("add", models / ONE, "mine", "--reason", "a\x1b[31m\n\u202eb")
    printed = registry("show", "mine")[0]
    assert r"a\x1b[31m\n\u202eb" in printed
    assert "\x1b" not in printed
