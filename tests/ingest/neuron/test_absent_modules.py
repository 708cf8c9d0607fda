"""Stand-ins for modules that show figures or are not installed, in a Python of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_START = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from absent import forgive_age, stand_in_for
stand_in_for(["no_such_module", "brian"], Path())
forgive_age(Path())
"""
INSIDE = Path(__file__).parents[3] / "src/bnnkg/ingest/neuron/inside"


def _run(text: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", _START.format(folder=str(INSIDE)) + text],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return done.stdout


PROGRAMS = [
    "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.figure()",
    "from pylab import *\nfrom no_such_module.deep.inside import a, b as c\nc(a)",
    "import pylab as plt\nf, a = plt.subplots(1, 2)\n[x, y], z = plt.g(), 3\na[0].plot([1])",
    "import pylab as plt\nax = plt.gca()\nax.title.x = 3\nax['k'] = 4\nfor line in ax: pass",
    "import brian\n@brian.check_units\ndef f(x): return 2*x\nassert f(4) == 8",
    "import brian\nclass N(brian.Group):\n  x = 3\nassert N().x == 3",
    "import no_such_module as m\nwith m.open('x') as f:\n  f.write(3)",
    "import no_such_module as m\nx = 3 + m.a*2 - m.b/4\ny = float(x), int(x), len(x), bool(x)\n"
    "assert y == (0.0, 0, 0, True)",
    "import tqdm\nassert [1, 2] == [i for i in [1, 2]]\nprint('%s' % tqdm.x is None)",
    "from mpi4py import MPI\nc = MPI.COMM_WORLD\nassert (c.rank, c.size) == (0, 1)\n"
    "assert c.bcast(3, root=0) == 3 and c.gather(4) == [4]\nc.Barrier()",
    "import cPickle\nassert cPickle.loads",
    "import time\nassert time.clock() >= 0\nassert list(xrange(2)) == [0, 1] and unicode(3) == '3'",
    "import numpy as np\nassert np.float(3) == 3.0 and not np.bool(0) and np.int(3.7) == 3",
    "open('a.py', 'w').write('value = 6')\nexecfile('a.py')\nassert value == 6",
    "assert raw_input('name?') == ''",
    "assert reduce(lambda a, b: a*b, [2, 3, 4]) == 24 and long(3) == 3",
]  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
def test_programs_run(text: str, tmp_path: Path) -> None:
    _run(text, tmp_path)


def test_what_is_not_named_is_absent_still(tmp_path: Path) -> None:
    text = "try:\n  import other_absent\nexcept ImportError:\n  print('absent')\nprint(1)"
    assert _run(text, tmp_path) == "absent\n1\n"


def test_what_stands_in_says_nothing_of_itself(tmp_path: Path) -> None:
    """Python asks for names in double underscores to learn what a thing can do."""
    text = "import no_such_module as m\nprint(hasattr(m, '__array__'), hasattr(m.x, '__array__'))"
    assert _run(text, tmp_path) == "False False\n"
