"""`python -m edgecrnn`."""

import sys

from edgecrnn.cli import main

sys.exit(main())
