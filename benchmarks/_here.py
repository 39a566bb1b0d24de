"""Lets a benchmark, run by its path, import the checkout that it lies in.

Its own folder is looked into last: a benchmark may be called as a module of the standard library is.
"""

import sys
from pathlib import Path

_FOLDER = Path(__file__).parent
sys.path[:] = [
    str(_FOLDER.parent),
    *(place for place in sys.path if Path(place or ".").resolve() != _FOLDER),
    str(_FOLDER),
]
