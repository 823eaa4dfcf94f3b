"""Environment variables, from their table in the code."""

from __future__ import annotations

from generate.reference import markdown
from generate.reference.markdown import code, table
from numerai_predict.contract.environment_variables import TRAIN_PREFIX, VARIABLES, Topic


def page() -> str:
    """The page."""
    return markdown.page(
        "contract/environment_variables.py",
        "Environment variables",
        "An option on the command line overrides a variable; a variable overrides a file. An empty "
        "variable counts as not set.",
        *(block for topic in Topic for block in _section(topic)),
        "## Training",
        f"`{TRAIN_PREFIX}<KEY>` overrides a key of [train.yaml](configuration.md#trainyaml); "
        f"`__` separates a section from its key: `{TRAIN_PREFIX}LIGHTGBM__NUM_LEAVES=31`.",
    )


def _section(topic: Topic) -> tuple[str, str]:
    rows = [
        (code(variable.name), variable.meaning, variable.default)
        for variable in VARIABLES
        if variable.topic is topic
    ]
    return f"## {topic.value}", table(("variable", "meaning", "default"), rows)
