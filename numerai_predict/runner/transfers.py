"""How a run's transfers are told: in the log, and on a terminal by a bar."""

from __future__ import annotations

import functools

from numerai_predict.contract.deadline import Deadline
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.storage.retry import TransferPolicy


def transfer_policy(deadline: Deadline, step: str) -> TransferPolicy:
    """The policy of the transfers of a step."""
    return TransferPolicy(
        deadline, log=functools.partial(log_step, step), terminal=stderr_terminal()
    )
