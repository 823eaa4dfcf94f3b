"""Code, messages and documentation use the project's vocabulary.

`vocabulary.py` lists the words that were replaced, with the terms to use instead.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import pytest
import source_tree
import vocabulary
from lanes import ROOT


@dataclass(frozen=True)
class Allowed:
    """A use that stays: the file or folder, the words as they are found, and the reason."""

    path: str
    words: str
    reason: str

    def covers(self, hit: vocabulary.Hit) -> bool:
        """Whether the hit is this use."""
        return hit.path.startswith(self.path) and hit.found.lower() == self.words


ALLOWED = (
    Allowed("docs/explanation/04-trust-model.md", "nobody", "the Unix user"),
    Allowed("numerai_predict/sandbox/identity.py", "nobody", "the Unix user"),
    Allowed("tests/resources/test_shared_memory.py", "nobody", "the Unix user"),
    Allowed("numerai_predict/fleet/ledger_rows.py", "place", "a column of fleet.sqlite"),
    Allowed("numerai_predict/fleet/scheduler.py", "place", "a column of fleet.sqlite"),
    Allowed("numerai_predict/fleet/delivery/messages.py", "courier", "the file .courier.lock"),
    Allowed("numerai_predict/cli/commands/practice.py", "place", "a key of the practice server"),
    Allowed("numerai_predict/tournament/practice/faults.py", "place", "a key of the same"),
    Allowed("numerai_predict/training/checkpoints.py", "told", "a key of checkpoints"),
    Allowed("tests/test_previous_version.py", "told", "a key of checkpoints"),
    Allowed("numerai_predict/fleet/pool/ray_cluster.py", "died", "Ray's ActorDiedError"),
    Allowed("tests/fleet/test_worker_pool.py", "died", "Ray's ActorDiedError"),
    Allowed("numerai_predict/storage/retry.py", "outcome", "tenacity's attribute"),
    Allowed("numerai_predict/resources/process_tree.py", "the parent", "a parent process of Linux"),
    Allowed("numerai_predict/fleet/report/model_table.py", "round", "Python's function"),
    Allowed("numerai_predict/sandbox/landlock.py", "beneath", "LANDLOCK_RULE_PATH_BENEATH"),
    Allowed("numerai_predict/sandbox/seccomp.py", "agents", "ssh-agent and the like"),
)

# The tables of the words themselves.
EXCLUDED = {"tests/vocabulary.py", "tests/test_vocabulary.py"}


@pytest.fixture(scope="module")
def hits() -> list[vocabulary.Hit]:
    """Every use of a replaced word, exceptions included."""
    paths = [path for path in vocabulary.files_in(ROOT) if path not in EXCLUDED]
    return [
        hit for path in paths for hit in vocabulary.hits_in(path, (ROOT / path).read_text("utf-8"))
    ]


@pytest.mark.slow
def test_no_replaced_word_is_used(hits):
    unexpected = [hit for hit in hits if not any(each.covers(hit) for each in ALLOWED)]
    if unexpected:
        pytest.fail("\n  ".join(["replaced words:", *map(str, unexpected)]), pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda each: f"{each.path}: {each.words}")
def test_every_exception_is_needed(hits, allowed):
    assert any(allowed.covers(hit) for hit in hits), allowed.reason


def test_nothing_is_defined_under_an_old_name():
    definitions = [
        f"{module.name}:{node.lineno}: {node.name}"
        for module in source_tree.modules_under(ROOT, source_tree.PACKAGE)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        if node.name in vocabulary.OLD_NAMES
    ]
    assert definitions == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class WarmWorker: pass", ["warm worker"]),
        ("# a model at\n# hand", ["at hand"]),
        ("own_folder = 1", ["own folder"]),
        ('"""It passed its memory limit."""', ["passed its memory limit"]),
        ("words = 1", ["words"]),
        ("# words of a sentence", []),
        ("path.parent", []),
        ("# the parent directory", []),
        ("# the parent decides", ["the parent"]),
        ("# numerai-predict fleet run x --output-dir round-1", ["output - dir round"]),
        ("x = current_round - 1", []),
        ("# if the gate for it is closed", ["gate for it is closed"]),
        ("# all gates are open", ["gates are open"]),
        ("# they close the gates", ["close the gates"]),
        ("class GateClosed: pass", []),
        ("# Pauses grow", ["pauses"]),
        ("# in the folder beneath it", ["the folder", "beneath"]),
        ("# it runs anew all the same", ["all the same", "anew"]),
    ],
)
def test_words_are_found_in_identifiers_comments_and_strings(source, found):
    assert [hit.found for hit in vocabulary.hits_in("numerai_predict/x.py", source)] == found
