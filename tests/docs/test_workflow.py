"""The workflow that submits keeps its secrets to one step."""

import re


def test_the_secrets_are_on_one_step_of_the_workflow(contract):
    text = (contract.root / ".github/workflows/submit.yml").read_text()
    steps = re.split(r"\n      - ", text)
    assert [index for index, step in enumerate(steps) if "secrets." in step] == [3]
    assert "numerai-predict round" in steps[3]
