"""``python -m fcattn``."""

import sys

from fcattn.cli import main

sys.exit(main())
