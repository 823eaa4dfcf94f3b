"""The table of environment variables is complete."""

import re

from numerai_predict.contract.environment_variables import TRAIN_PREFIX, VARIABLES

NAMES = [variable.name for variable in VARIABLES]


def test_no_variable_is_listed_twice():
    assert len(set(NAMES)) == len(NAMES)


def test_every_numerai_variable_in_the_code_is_listed(contract):
    used = {
        name
        for path in (contract.root / "numerai_predict").rglob("*.py")
        for name in re.findall(r"[\"`](NUMERAI_[A-Z_]+)[\"`]", path.read_text())
        if not name.startswith(TRAIN_PREFIX)
    }
    used.discard("NUMERAI_API")  # the beginning of a line in a keys file
    assert used - set(NAMES) == set()


def test_every_listed_variable_of_ours_is_used_in_the_code(contract):
    code = "".join(
        path.read_text()
        for path in (contract.root / "numerai_predict").rglob("*.py")
        if path.name != "environment_variables.py"
    )
    unused = [name for name in NAMES if name.startswith("NUMERAI_") and name not in code]
    assert unused == []


def test_every_meaning_is_a_sentence():
    for variable in VARIABLES:
        assert variable.meaning.endswith("."), variable.name
