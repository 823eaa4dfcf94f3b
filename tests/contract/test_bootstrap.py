import ast
import json
import subprocess
import sys
import zipapp

import layouts
import pytest

from numerai_predict.contract.bootstrap import PACKAGE, bootstrap_argv, script_argv

# An entrypoint that prints what it finds, in the place of the package's own.
_MODULE = """
import json, sys
def main():
    print(json.dumps([sys.argv[1:], sys.path, sys.flags.isolated]))
    return 7
"""


@pytest.mark.process
def test_an_entrypoint_is_called_with_its_arguments_in_an_isolated_python(tmp_path):
    (tmp_path / "entry.py").write_text(_MODULE)
    argv = bootstrap_argv("entry:main", "a b", "--c", package_root=str(tmp_path))
    ended = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path)
    arguments, path, isolated = json.loads(ended.stdout)
    assert ended.returncode == 7
    assert arguments == ["a b", "--c"]
    assert isolated
    assert path[-1] == str(tmp_path), "what lies beside the package could replace a library"


@pytest.mark.process
def test_a_file_of_the_current_directory_is_not_imported(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    (tmp_path / "entry.py").write_text(_MODULE)
    argv = bootstrap_argv("entry:main", package_root=str(tmp_path))
    assert subprocess.run(argv, capture_output=True, cwd=tmp_path).returncode == 7


@pytest.mark.process
def test_a_script_is_the_main_program_of_an_isolated_python(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, json\n"
        "import pytest  # a library of the process that started it\n"
        "x = 1\n"
        "main = sys.modules['__main__']\n"
        "print(json.dumps([__name__, sys.argv, sys.flags.isolated, main.x]))\n"
    )
    ended = subprocess.run(script_argv(str(script), "a b"), capture_output=True, cwd=tmp_path)
    assert json.loads(ended.stdout) == ["__main__", [str(script), "a b"], 1, 1]


def test_no_other_code_starts_a_python_by_a_command_of_its_own():
    """A command that names this Python's executable skips what isolates a bootstrapped one."""
    starts = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.List) and "sys.executable" in ast.unparse(node)
    }
    assert starts == {
        "contract/bootstrap.py",
        "tournament/practice/process_control.py",  # a server of this user, with this environment
    }


def test_the_package_itself_and_this_python_are_the_default():
    argv = bootstrap_argv("numerai_predict.fleet.worker.router:main")
    assert argv[0] == sys.executable
    assert argv[-1] == str(PACKAGE.parent)


@pytest.mark.process
def test_a_zipapp_is_the_path_and_the_mount_of_its_package(tmp_path):
    (tmp_path / "source").mkdir()
    layouts.install_package(tmp_path / "source")
    archive = tmp_path / "predict.pyz"
    zipapp.create_archive(tmp_path / "source", archive, main="numerai_predict.cli.main:main")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from numerai_predict.contract.bootstrap import bootstrap_argv\n"
        "from numerai_predict.runner.container.engine import PACKAGE_MOUNT\n"
        "print(bootstrap_argv('entry:main')[-1], PACKAGE_MOUNT.option(), sep='\\n')\n"
    )
    argv = [sys.executable, "-P", "-c", program, archive.name]
    ended = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path)
    assert ended.stdout.splitlines() == [
        str(archive),
        f"type=bind,source={archive},target=/opt/numerai-predict,readonly",
    ]
