"""SIGTERM is an exception of its own in a block, whatever a library makes of it."""

import os
import signal

import pytest

from numerai_predict.runner.termination import Terminated, raised_at_sigterm


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_is_raised_in_the_block_and_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), raised_at_sigterm():
        terminate()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_library_that_replaces_the_exception_does_not_hide_the_signal():
    def library():
        try:
            terminate()
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None

    with pytest.raises(Terminated), raised_at_sigterm():
        library()


def test_ctrl_c_stays_ctrl_c():
    with pytest.raises(KeyboardInterrupt) as raised, raised_at_sigterm():
        raise KeyboardInterrupt
    assert not isinstance(raised.value, Terminated)
