"""The entrypoint of every image: run a pickled model on live data."""

import sys

from numerai_predict.runner.entrypoint import main

if __name__ == "__main__":
    sys.exit(main())
