"""`python -m amq`: the `amq` command."""

import sys

from amq.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
