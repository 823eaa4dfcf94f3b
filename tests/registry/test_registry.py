"""Versions, aliases, promotion and rollback of a registered model."""

import json
import os

import pytest

from numerai_predict.contract.registry_errors import (
    CorruptVersion,
    RegistryUnavailable,
    UnknownVersion,
)
from numerai_predict.registry.cleanup import remove_unused_contents
from numerai_predict.registry.events import EventKind
from numerai_predict.registry.local_copy import local_copy
from numerai_predict.registry.reference import Reference, is_alias, parse_reference
from numerai_predict.registry.registry import Registry
from numerai_predict.registry.store import DirectoryStore

pytestmark = pytest.mark.unit


@pytest.fixture
def registry(tmp_path):
    return Registry(DirectoryStore(tmp_path / "registry"))


@pytest.fixture
def add(registry, tmp_path):
    """Adds a version of a pickle with these bytes."""

    def call(content, name="mine"):
        path = tmp_path / "model.pkl"
        path.write_bytes(content)
        return registry.add(name, {"model.pkl": path}, {"python": ["3.12"]}, None)

    return call


def objects_of(tmp_path):
    return [path for path in (tmp_path / "registry/objects").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("registry:mine", Reference("mine", None, "production")),
        ("mine@7", Reference("mine", 7, None)),
        ("registry:my.model-2@candidate", Reference("my.model-2", None, "candidate")),
    ],
)
def test_a_reference_is_read_and_written_alike(text, reference):
    assert parse_reference(text) == reference
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize("text", ["", "@1", "../x", "a/b", "a@b@c", "a@/", ".a", "a" * 65, "a\n"])
def test_other_text_is_no_reference(text):
    with pytest.raises(ValueError, match="expected NAME, NAME@ALIAS or NAME@NUMBER"):
        parse_reference(text)


@pytest.mark.parametrize(("text", "fits"), [("candidate", True), ("7", False), ("a b", False)])
def test_an_alias_cannot_be_taken_for_the_number_of_a_version(text, fits):
    assert is_alias(text) is fits


def test_versions_count_from_one_and_keep_their_numbers(registry, add):
    assert [add(content).number for content in (b"a", b"b", b"a")] == [1, 2, 3]
    assert list(registry.history("mine").versions) == [1, 2, 3]
    assert registry.models() == ["mine"]


def test_equal_contents_are_stored_once(add, tmp_path):
    add(b"same")
    add(b"same", "other")
    assert len(objects_of(tmp_path)) == 1


def test_an_alias_names_one_version_and_moves(registry, add):
    add(b"a"), add(b"b")
    registry.set_alias(Reference("mine", 1, None), "candidate", None)
    assert registry.version(Reference("mine", None, "candidate")).number == 1
    registry.set_alias(Reference("mine", 2, None), "candidate", "better")
    assert registry.history("mine").aliases == {"candidate": 2}
    assert registry.history("mine").events[-1].reason == "better"


def test_each_rollback_goes_one_version_back_until_the_first(registry, add):
    for content in (b"a", b"b", b"c"):
        number = add(content).number
        registry.set_alias(Reference("mine", number, None), "production", None)
    assert [registry.roll_back("mine").version for _ in range(2)] == [2, 1]
    with pytest.raises(UnknownVersion, match="expected an earlier version of mine@production"):
        registry.roll_back("mine")
    assert registry.version(Reference("mine", None, "production")).number == 1


def test_the_version_in_production_again_is_no_step_of_a_rollback(registry, add):
    add(b"a"), add(b"b")
    for number in (1, 2, 2):
        registry.set_alias(Reference("mine", number, None), "production", None)
    assert registry.roll_back("mine").version == 1


def test_the_history_says_who_did_what_and_when(registry, add):
    add(b"a")
    registry.set_alias(Reference("mine", 1, None), "production", "first")
    registry.tag(Reference("mine", 1, None), {"author": "me"})
    events = registry.history("mine").events
    assert [event.kind for event in events] == [
        EventKind.ADDED,
        EventKind.ALIASED,
        EventKind.TAGGED,
    ]
    assert all("@" in event.user and event.time.endswith("Z") for event in events)
    assert registry.version(Reference("mine", 1, None)).tags == {"author": "me"}


def test_an_unknown_model_is_answered_with_near_names(registry, add):
    add(b"a", "my_model")
    with pytest.raises(UnknownVersion, match="none of the name my_modle; there are: my_model"):
        registry.version(Reference("my_modle", 1, None))


def test_an_unknown_version_is_answered_with_those_that_there_are(registry, add):
    add(b"a")
    registry.set_alias(Reference("mine", 1, None), "candidate", None)
    for reference in (Reference("mine", 7, None), Reference("mine", None, "production")):
        with pytest.raises(UnknownVersion, match=r"versions 1 and the aliases candidate \(1\)"):
            registry.version(reference)


def test_a_needed_version_is_not_removed(registry, add):
    for content in (b"a", b"b", b"c", b"d"):
        add(content)
    for number in (1, 2):
        registry.set_alias(Reference("mine", number, None), "production", None)
    removed = [registry.remove("mine", number, "old") for number in (1, 2, 3)]
    assert removed == [False, False, True]  # a rollback leads to 1
    assert list(registry.history("mine").versions) == [1, 2, 4]
    assert add(b"e").number == 5


def test_contents_of_removed_versions_go_once_they_are_old(registry, add, tmp_path):
    add(b"a"), add(b"b")
    registry.remove("mine", 1, "old")
    assert remove_unused_contents(registry) == []
    for path in objects_of(tmp_path):
        os.utime(path, (0, 0))
    assert len(remove_unused_contents(registry)) == 1
    assert [path.read_bytes() for path in objects_of(tmp_path)] == [b"b"]


def damage(tmp_path, change):
    (path,) = objects_of(tmp_path)
    path.chmod(0o644)
    change(path)


DAMAGES = {
    "other bytes": lambda path: path.write_bytes(b"x"),
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("found", DAMAGES)
def test_a_version_with_damaged_files_gets_no_alias_and_is_not_written(
    registry, add, tmp_path, found
):
    add(b"a")
    damage(tmp_path, DAMAGES[found])
    (tmp_path / "out").mkdir()
    for use in (
        lambda: registry.set_alias(Reference("mine", 1, None), "production", None),
        lambda: registry.write_files(Reference("mine", 1, None), tmp_path / "out"),
        lambda: local_copy(registry, Reference("mine", 1, None), tmp_path / "copies"),
    ):
        with pytest.raises(CorruptVersion, match=f"model.pkl .*{found}"):
            use()
    assert registry.history("mine").aliases == {}
    assert list((tmp_path / "out").iterdir()) == []


def test_a_local_copy_is_made_once_and_again_if_it_was_changed(registry, add, tmp_path):
    add(b"a")
    reference = Reference("mine", 1, None)
    copy = local_copy(registry, reference, tmp_path / "copies")
    made = copy.stat().st_ino
    assert local_copy(registry, reference, tmp_path / "copies").stat().st_ino == made
    copy.chmod(0o644)
    copy.write_bytes(b"changed")
    assert local_copy(registry, reference, tmp_path / "copies").read_bytes() == b"a"


HOSTILE_JSON = {
    "no JSON": "{",
    "no object": "[]",
    "deep": "[" * 100_000,
    "empty": "",
    "more than an event has": " " * 2_000_000,
    "a number that JSON lacks": '{"number": NaN}',
}
STORED = {"sha256": "0" * 64, "bytes": 1}
HOSTILE_FIELDS = [
    {"files": {"../../evil": STORED}},
    {"files": {"model.pkl": {"sha256": "../x", "bytes": 1}}},
    {"files": {"model.pkl": {"sha256": "0" * 64, "bytes": -1}}},
    {"files": {"model.pkl": {"sha256": "0" * 64, "bytes": 1e999}}},
    {"files": {}},
    {"files": {"scores.json": STORED}},
    {"files": {"model.pkl": STORED, "model.pkl.gz": STORED}},
    {"files": [1]},
    {"kind": "deleted"},
    {"kind": ["added"]},
    *({"version": each} for each in (None, 0, -1, 1.0, 1e999, True, 10**30, "1", [])),
    *({"number": each} for each in (None, 0, 2, -1, 1.0, True, 10**30, "1")),
    *({"alias": each} for each in ([], {}, 7, "../x", "7", "a\nb")),
    *({"reason": each} for each in ([], {}, 7)),
    *({"tags": each} for each in ([], "x", {"author": 1}, {"../x": "y"}, {"": "y"})),
    *({field: each} for field in ("time", "user", "id") for each in (None, 7, [], {})),
    *({"facts": each} for each in (None, [], "x")),
    *({"facts": {"python": each}} for each in ("3.12", [312], {"a": 1}, 7)),
    *({"facts": {"scores": each}} for each in ("x", [1], {"corr": "x"}, {"corr": 10**400})),
    *({"facts": {"scores": {"corr": each}}} for each in (None, [], True, 1e999)),
    {"facts": {"data_version": {"a": 1}}},
    {"facts": {"features": "many"}},
]


def events_of(tmp_path):
    return tmp_path / "registry/models/mine/events"


def refuses(registry):
    with pytest.raises(RegistryUnavailable, match="expected an event in models/mine/events"):
        registry.history("mine")


@pytest.mark.parametrize("name", HOSTILE_JSON)
def test_a_file_that_holds_no_event_is_refused(registry, add, tmp_path, name):
    add(b"a")
    (events_of(tmp_path) / "00000001.json").write_text(HOSTILE_JSON[name])
    refuses(registry)


@pytest.mark.parametrize("fields", HOSTILE_FIELDS, ids=range(len(HOSTILE_FIELDS)))
def test_an_event_that_another_wrote_is_refused(registry, add, tmp_path, fields):
    add(b"a")
    (path,) = events_of(tmp_path).iterdir()
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}))
    refuses(registry)


@pytest.mark.parametrize("name", ["00000002.json", "1.json", "x", "00000001.json.bak"])
def test_an_event_under_the_name_of_another_is_refused(registry, add, tmp_path, name):
    add(b"a")
    (events_of(tmp_path) / name).write_bytes((events_of(tmp_path) / "00000001.json").read_bytes())
    refuses(registry)


def test_a_version_cannot_be_added_again_with_other_bytes(registry, add, tmp_path):
    add(b"a"), add(b"b")
    path = events_of(tmp_path) / "00000002.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "version": 1}))
    with pytest.raises(RegistryUnavailable, match="of mine to be added once, found version 1 twic"):
        registry.history("mine")


def test_what_is_in_the_way_of_the_next_event_is_named_in_the_end(
    registry, add, tmp_path, monkeypatch
):
    monkeypatch.setattr("numerai_predict.registry.event_log._UNLISTED_SECONDS", 0.2)
    add(b"a")
    (events_of(tmp_path) / "00000002.json").mkdir()
    with pytest.raises(RegistryUnavailable, match=r"00000002.json in .*, found something else"):
        add(b"b")


@pytest.mark.parametrize("name", ["..", "\x1b[2J", "a b", "\u202ea", "x" * 200])
def test_a_directory_of_another_name_is_no_model(registry, add, tmp_path, name):
    add(b"a")
    (tmp_path / "registry/models" / name / "events").mkdir(parents=True, exist_ok=True)
    assert registry.models() == ["mine"]


def test_text_in_an_event_is_bounded_and_printable(registry, add, tmp_path):
    add(b"a")
    (path,) = events_of(tmp_path).iterdir()
    hostile = "\x1b[2J\n12:00:00 verdict  ok\u202e\ud800" + "x" * 50_000
    changes = {"user": hostile, "time": hostile, "reason": hostile, "tags": {"a": hostile}}
    changes["facts"] = {"data_version": hostile, "python": [hostile], "more": {hostile: [hostile]}}
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))
    text = json.dumps(registry.history("mine").events[0].as_dict(), ensure_ascii=False)
    assert text.isprintable()
    assert len(text) < 40_000


def test_a_cleanup_removes_contents_alone(registry, add, tmp_path):
    """Another program may have a directory of this name, as Git has."""
    add(b"a")
    names = ["ab/cdef", "pack/pack-1.idx", "README", "ab/" + "0" * 64, "00/" + "0" * 63]
    for name in names:
        path = tmp_path / "registry/objects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    assert remove_unused_contents(registry) == []
    assert len(objects_of(tmp_path)) == 1 + len(names)


def test_contents_of_another_size_are_not_copied(registry, add, tmp_path):
    """A stored file of any size could fill the disk."""
    add(b"a")
    damage(tmp_path, lambda path: os.truncate(path, 10**12))
    with pytest.raises(CorruptVersion, match=r"other bytes \(1,000,000,000,000 in place of 1\)"):
        registry.write_files(Reference("mine", 1, None), tmp_path)


@pytest.mark.parametrize("found", DAMAGES)
def test_a_damaged_version_works_again_once_its_bundle_is_added_again(
    registry, add, tmp_path, found
):
    add(b"a")
    damage(tmp_path, DAMAGES[found])
    add(b"a")
    assert registry.faults(registry.version(Reference("mine", 1, None))) == []


def test_a_rollback_that_another_wrote_first_takes_nothing_away(registry, add, tmp_path):
    add(b"a")
    (path,) = (tmp_path / "registry/models/mine/events").iterdir()
    event = {**json.loads(path.read_bytes()), "number": 2, "kind": "rolled back", "alias": "x"}
    path.with_name("00000002.json").write_text(json.dumps(event))
    assert registry.history("mine").aliases == {}
    assert add(b"b").added.number == 3


def test_an_event_after_a_lost_one_gets_a_number_of_its_own(registry, add, tmp_path):
    for content in (b"a", b"b", b"c"):
        add(content)
    (tmp_path / "registry/models/mine/events/00000002.json").unlink()
    assert add(b"d").added.number == 4
    assert list(registry.history("mine").versions) == [1, 3, 4]
