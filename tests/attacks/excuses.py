"""Attempts that succeed because the machine lacks a layer."""

import pytest
import stage


def expect_failure_without_a_layer(outcome):
    """Expect the test to fail if the attempt succeeded and the machine lacks a layer."""
    if outcome.result != "escaped":
        return
    if outcome.name in (expected := stage.expected_escapes(outcome.layers)):
        pytest.xfail(f"not blocked on this machine: {expected[outcome.name]}")
    if missing := [line for line in stage.missing_layers(outcome.layers) if " missing" in line]:
        pytest.xfail(f"not blocked on this machine: {'; '.join(missing)}: {outcome.detail}")
