"""The supervisor holds the credentials: it starts fast and unpickles nothing."""

import json
import subprocess
import sys

import pytest

# pyarrow itself imports pickle and cloudpickle; what of ours may, is import-linter's to hold.
FORBIDDEN = ("pandas", "numerapi", "requests", "numerai_tools")

SCRIPT = f"""
import json, sys
from numerai_predict.runner.entrypoint import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(set({FORBIDDEN}) & set(sys.modules))]))
"""


def ranks(live_features, live_benchmark_models):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def test_a_local_run_imports_neither_pandas_nor_a_client(command, clean_environment):
    _, _, *options = command(ranks)
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *options],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment,
    )
    code, imported = json.loads(ended.stdout)
    assert code == 0, ended.stderr
    assert imported == []


@pytest.mark.process
def test_the_modules_of_the_supervisor_import_nothing_heavy():
    modules = ("contract.errors", "inspection.file_type", "runner.entrypoint", "storage.sources")
    imports = ", ".join(f"numerai_predict.{module}" for module in modules)
    heavy = ("numpy", "pyarrow", "pickle", "cloudpickle", *FORBIDDEN)
    code = f"import sys, {imports}; print(sorted(set({heavy}) & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert ended.stdout == b"[]\n"


@pytest.mark.process
def test_the_model_process_imports_no_client_and_no_storage():
    code = (
        "import sys, numerai_predict.runner.child.main, numerai_predict.runner.child.model_loader, "
        "numerai_predict.runner.child.prediction_encoder, "
        "numerai_predict.runner.child.exception_report; "
        "print([n for n in sys.modules if n.startswith(('requests', 'numerapi', "
        "'numerai_predict.storage'))])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert ended.stdout == b"[]\n"
