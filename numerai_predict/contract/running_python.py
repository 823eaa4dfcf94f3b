"""The version of the running Python, like `3.12`."""

import sys

RUNNING_PYTHON = "{}.{}".format(*sys.version_info)
