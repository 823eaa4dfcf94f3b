"""The limits of memory and time, and the deadline."""

import os
import time

import numpy as np
import pytest


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_a_model_that_sleeps_exceeds_its_time_limit(run_model):
    run = run_model(lambda live_features: time.sleep(3600), "--timeout", "2")
    run.fails_as("timeout", "2 s", "predict", "--timeout")


def test_a_pickle_that_never_finishes_loading_exceeds_its_time_limit(run_model):
    run_model(b"ctime\nsleep\n(I3600\ntR.", "--timeout", "2").fails_as("timeout", "2 s", "load")


def test_a_model_that_never_returns_exceeds_its_time_limit(run_model):
    def predict(live_features):
        while True:
            pass

    run_model(predict, "--timeout", "2").fails_as("timeout", "2 s")


def test_the_deadline_of_the_run_names_the_step_in_which_it_passed(run_model):
    run = run_model(lambda live_features: time.sleep(3600), "--deadline", "3")
    run.fails_as("deadline", "3 s", "predict", "--deadline")


def test_a_deadline_that_is_too_short_for_anything_passes(run_model):
    run_model(ranks, "--deadline", "0.001").fails_as("deadline", "0.001 s")


def test_a_deadline_that_suffices_changes_nothing(run_model):
    run_model(ranks, "--deadline", "55").succeeds()


def test_a_huge_array_fails_at_the_line_that_allocates_it(run_model):
    def predict(live_features):
        return np.ones((live_features.shape[0], 200_000_000))

    run = run_model(predict, "--memory", "512m")
    run.fails_as("out_of_memory", "limit of 512.0 MiB", "peak", "in predict", "--memory")
    assert 0 < run.record["peak_memory_bytes"] < 512 * 1024**2


def test_a_model_that_grows_step_by_step_is_killed_at_its_limit(run_model):
    def predict(live_features):
        kept = []
        while True:
            kept.append(np.ones(2 * 1024**2))
            time.sleep(0.01)

    run = run_model(predict, "--memory", "512m")
    run.fails_as("out_of_memory", "limit of 512.0 MiB", "peak", "batches")
    # Either the monitor sees it above the limit, or the allocation that exceeds the limit fails.
    assert 480 * 1024**2 < run.record["peak_memory_bytes"] < 1024**3


def test_the_memory_of_processes_that_the_model_starts_counts(run_model):
    def predict(live_features):
        for _ in range(3):
            if os.fork() == 0:
                kept = np.ones(25 * 1024**2)
                time.sleep(3600)
                del kept
        time.sleep(3600)

    run_model(predict, "--memory", "600m").fails_as("out_of_memory", "limit of 600.0 MiB", "peak")


def test_a_model_within_its_limits_runs(run_model):
    def predict(live_features):
        kept = np.ones(12 * 1024**2)
        return ranks(live_features) * kept[0]

    run = run_model(predict, "--memory", "1g", "--timeout", "50")
    run.succeeds()
    assert run.record["peak_memory_bytes"] > 96 * 1024**2


def test_memory_that_no_machine_has_is_out_of_memory_without_a_limit(run_model):
    def predict(live_features):
        return np.ones(2**46)

    run_model(predict, "--memory", "none").fails_as("out_of_memory", "more memory than")


@pytest.mark.parametrize("many", [8])
def test_threads_reserve_address_space_without_using_memory(run_model, many):
    """The limit counts memory in use, not the reserved stacks and arenas of threads."""

    def predict(live_features):
        import threading

        done = threading.Event()
        for _ in range(many):
            threading.Thread(target=done.wait).start()
        done.set()
        return ranks(live_features)

    run_model(predict, "--memory", "512m").succeeds()
