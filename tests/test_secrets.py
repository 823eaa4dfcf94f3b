"""No secret that any test used was said by anything: this file runs last."""

import evidence


def test_no_log_record_or_traceback_of_the_suite_holds_a_secret():
    shown = {
        (secret[:4] + "...", text[max(0, text.index(secret) - 200) : text.index(secret)])
        for text in evidence.said
        for secret in evidence.secrets
        if secret in text
    }
    print(f"{len(evidence.said)} texts, {len(evidence.secrets)} secrets")
    assert shown == set()


def test_a_secret_that_is_said_would_be_found(run_model, web):
    """The comparison itself: a run's words and its secrets do reach it."""
    texts, before = len(evidence.said), set(evidence.secrets)
    run = run_model(f"{web.url}/gone.pkl?X-Amz-Signature=SECRETOFTHISTEST")
    run.fails_as("model_unavailable", "404")
    new = evidence.secrets - before
    assert {"X-Amz-Signature=SECRETOFTHISTEST", "SECRETOFTHISTEST"} <= new
    heard = "".join(evidence.said[texts:])
    assert "verdict  model_unavailable" in heard
    assert '"exit_code": 10' in heard
    assert not any(secret in heard for secret in new)
