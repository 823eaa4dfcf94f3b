"""No output shows a secret: the suite checks it when it ends; these tests check the check."""

import evidence
import pytest


@pytest.fixture
def empty_evidence(monkeypatch):
    monkeypatch.setattr(evidence, "texts", [])
    monkeypatch.setattr(evidence, "secrets", set())


def test_a_secret_of_a_run_and_its_output_are_recorded(run_model, web):
    texts, before = len(evidence.texts), set(evidence.secrets)
    run = run_model(f"{web.url}/gone.pkl?X-Amz-Signature=SECRETOFTHISTEST")
    run.fails_as("model_unavailable", "404")
    added = evidence.secrets - before
    assert {"X-Amz-Signature=SECRETOFTHISTEST", "SECRETOFTHISTEST"} <= added
    recorded = "".join(evidence.texts[texts:])
    assert "verdict  model_unavailable" in recorded
    assert '"exit_code": 10' in recorded
    assert not any(secret in recorded for secret in added)


def test_a_secret_that_is_shown_is_found(empty_evidence):
    evidence.add_secrets("SECRETOFTHISTEST", "short")
    evidence.record_output("a short line", b"before SECRETOFTHISTEST after")
    assert evidence.leaks() == ["SECR... after: 'before '"]


def test_the_main_process_of_a_parallel_run_checks_what_its_workers_recorded(
    empty_evidence, tmp_path
):
    evidence.add_secrets("SECRETOFTHISTEST")
    evidence.save(tmp_path / "gw0.json")
    evidence.secrets.clear()
    evidence.record_output("before SECRETOFTHISTEST")
    evidence.save(tmp_path / "gw1.json")
    evidence.texts.clear()
    evidence.load(tmp_path)
    assert len(evidence.leaks()) == 1
