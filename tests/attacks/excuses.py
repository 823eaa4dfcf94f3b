"""Attempts that succeed because the machine lacks a layer."""

import pytest
import stage


def expect_failure_without_a_layer(outcome):
    """Expect the test to fail if the attempt succeeded and the machine lacks a layer."""
    if outcome.result == "escaped" and (missing := stage.missing_layers(outcome.layers)):
        pytest.xfail(f"not blocked on this machine: {'; '.join(missing)}: {outcome.detail}")
