"""NEURON as an oracle that is asked often: one process, and a fresh copy for each question."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any

_PROGRAM = """
import json, os, sys
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
from neuron import h
for line in sys.stdin:
    child = os.fork()
    if not child:
        names = {"h": h, "found": None}
        try:
            exec(json.loads(line), names)
            answer = {"found": names["found"]}
        except BaseException as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), file=answers, flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(json.dumps({"error": "it crashed"}), file=answers, flush=True)
"""


class ForkingNeuron:
    """A running NEURON that answers Python programs, each in a copy that knows of no other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> ForkingNeuron:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=60)

    def ask(self, program: str) -> Any:
        """What a program leaves in ``found``; None where it, or NEURON, raised an error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(program) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline()).get("found")
