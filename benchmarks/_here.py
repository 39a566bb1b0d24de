"""Makes the checkout importable for a benchmark that is run as a script. Import it first."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
