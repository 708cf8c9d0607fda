"""The documents that the tests of reading are written with serve those of writing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))
