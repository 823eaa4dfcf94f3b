"""What the commands of the tournament share: the log, the ending, the deadline."""

from __future__ import annotations

import argparse
import os
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.limits import parse_seconds
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.options import argparse_type, dataset_version
from numerai_predict.runner.run_log import log_step, log_verdict, logger, start_logging
from numerai_predict.storage.directories import data_directory
from numerai_predict.storage.graphql import API_URL

DEFAULT_DEADLINE = 600.0


def exit_code_of(work: Callable[[], str], debug: bool = False) -> int:
    """Do the work and log how it ended; the exit code of its verdict.

    What it returns is its message.
    """
    start_logging(debug)
    try:
        message = work()
    except RunError as error:
        logger.debug("", exc_info=True)
        log_verdict(error.verdict.word, error.verdict.exit_code, error.message, error.remedy)
        return error.verdict.exit_code
    except KeyboardInterrupt:
        log_step("stopped", "by Ctrl-C: run it again to go on")
        return 130
    except OSError as error:
        found = f"expected to read and write files, found: {error.strerror or error}"
        where = f" ({error.filename})" if error.filename else ""
        verdict = Verdict.SAVE_FAILED
        log_verdict(verdict.word, verdict.exit_code, found + where, "look at the disk, try again")
        return verdict.exit_code
    except Exception as error:
        logger.error("%s", "".join(traceback.format_exception(error)).rstrip())
        defect = f"a defect of this program: {type(error).__name__}"
        verdict = Verdict.INTERNAL_ERROR
        log_verdict(verdict.word, verdict.exit_code, defect, "report it with the lines above")
        return verdict.exit_code
    log_verdict(Verdict.OK.word, Verdict.OK.exit_code, message, None)
    return Verdict.OK.exit_code


def add_deadline(parser: argparse.ArgumentParser, default: float = DEFAULT_DEADLINE) -> None:
    """The option that bounds everything."""
    parser.add_argument(
        "--deadline",
        type=argparse_type(parse_seconds),
        default=default,
        help=f"seconds for all of it, or none (default: {default:.0f})",
    )


def add_keys(parser: argparse.ArgumentParser) -> None:
    """The option that names the file of keys."""
    parser.add_argument(
        "--keys",
        type=Path,
        help="file of NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY, outside of any repository "
        "(default: the environment, NUMERAI_KEYS_FILE, or ~/.config/numerai-predict/keys.env)",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """The options that say where live data come from."""
    parser.add_argument(
        "--version",
        default=dataset_version(os.environ),
        help="of the live data (default: %(default)s)",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=data_directory(),
        help="of snapshots of the data (default: %(default)s)",
    )


def api_url(environment: Mapping[str, str] = os.environ) -> str:
    """Where the tournament's API is: `NUMERAI_API_URL`, or the real one."""
    return environment.get("NUMERAI_API_URL") or API_URL
