import pytest

from numerai_predict.sandbox.process_status import process_status, status_bytes

pytestmark = pytest.mark.unit


def test_a_process_has_a_name_and_sizes_in_bytes():
    assert process_status()["Threads"].isdigit()
    assert status_bytes("VmHWM") >= status_bytes("VmRSS") > 1_000_000


def test_a_process_that_has_exited_has_none():
    assert process_status(0) == {}
    assert status_bytes("VmHWM", 0) == 0
