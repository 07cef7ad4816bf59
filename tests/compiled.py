"""What Python compiles while testing is kept in the tests' cache, for the processes that tests start and for next time.

Many machines forbid bytecode beside the sources (PYTHONDONTWRITEBYTECODE), and then every process, and there are
dozens, compiles all of Pyomo and pandas anew: seconds of processor time each. Imported before anything large is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
