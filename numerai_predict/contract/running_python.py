"""The Python that runs this."""

import sys

RUNNING_PYTHON = "{}.{}".format(*sys.version_info)
