"""The README's statements about trainings are true."""

import re

from numerai_predict.contract.verdicts import TrainingVerdict
from numerai_predict.training.config import read_training_config


def test_the_configuration_of_the_readme_is_one(contract, tmp_path):
    readme = (contract.root / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(data: .*?)```", readme, re.DOTALL)
    path = tmp_path / "train.yaml"
    path.write_text(text)
    settings = read_training_config(path)
    assert (settings.features, settings.validation.windows) == ("small", 2)


def test_the_verdicts_of_the_readme_are_those_of_the_code(contract):
    readme = (contract.root / "README.md").read_text()
    rows = dict(re.findall(r"^\| (9\d) \| `(\w+)` \|", readme, re.MULTILINE))
    assert rows == {str(each.exit_code): each.word for each in TrainingVerdict}
