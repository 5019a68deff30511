"""`python -m sandbox.cli`, which is what `hub` runs."""

import sys

from sandbox.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
