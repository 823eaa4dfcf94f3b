"""`numerai-predict inspect`: which image runs a pickle, and what it needs."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

from numerai_predict.cli.registered_models import local_pickle
from numerai_predict.contract.errors import ModelUnavailable
from numerai_predict.contract.path_access import barred_by
from numerai_predict.contract.trained_eras import MANIFEST
from numerai_predict.inspection.bundle_manifest import BundleManifest
from numerai_predict.inspection.images import Image
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_parts
from numerai_predict.runner.bundle_check import check_pickle
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.files import resolve_links, sha256_of
from numerai_predict.terminal.screen import show


def run(options: argparse.Namespace) -> int:
    """Print what the inspection found.

    Raises:
        ModelUnavailable: the file cannot be read.
        InvalidPickle: it is not a pickle.
    """
    path = local_pickle(options.pickle)
    try:
        inspection = inspect_pickle(path)
        bundle = _bundle(path)
    except OSError as error:
        barred = barred_by(path)
        found = barred.found if barred else f"an error: {error.strerror}"
        remedy = barred.remedy if barred else "check the path"
        raise ModelUnavailable(f"expected a pickle at {path}, found {found}", remedy) from error
    if options.json:
        print(json.dumps(as_json(inspection, bundle), indent=2))
    else:
        show(*as_parts(inspection, bundle, _run_command))
    return 0


def _bundle(pickle: str) -> BundleManifest | None:
    """The manifest of exactly this pickle; a warning where the one beside it is of another."""
    named = Path(pickle)
    if not any(
        (path.parent / MANIFEST).exists() for path in (named.absolute(), resolve_links(named))
    ):
        return None  # large files are hashed only where there is one
    try:
        return check_pickle(pickle, sha256_of(Path(pickle)))
    except ModelUnavailable as error:
        log_step("warning", f"the manifest is not used: {error.message}")
        return None


def _run_command(_image: Image, path: str) -> str:
    """The command that runs the pickle, in the image that fits it."""
    return f"numerai-predict run {shlex.quote(path)}"
