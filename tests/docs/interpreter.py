"""Runs Python blocks one after the other, each as a JSON line, and answers with what differs."""

import doctest
import json
import os
import sys
from typing import Any

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
names: dict[str, Any] = {"__name__": "__main__"}
for line in sys.stdin:
    told: list[str] = []
    test = doctest.DocTestParser().get_doctest(json.loads(line), names, "block", None, None)
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    assert test.examples, "a block of Python shows what is typed after >>>"
    runner.run(test, out=told.append, clear_globs=False)
    names.update(test.globs)
    json.dump("".join(told), answers)
    answers.write("\n")
    answers.flush()
