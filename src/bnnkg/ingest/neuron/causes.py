"""Why NEURON code does not load, in words that are the same for all models that fail for it."""

from __future__ import annotations

import re

from bnnkg.ingest.report import CODE_FAILED

_KNOWN = (
    (re.compile(r"No module named '(?P<what>[\w.]+)'"), "no Python module {what}"),
    (re.compile(r"\bis not a MECHANISM|not a (?:density|membrane) mechanism"), "no such mechanism"),
    (re.compile(r"is not a template"), "no such template"),
    (re.compile(r"[Cc](?:an't|ould ?n[o']t) (?:open|find)|No such file|file not found"), "no file"),
    (re.compile(r"syntax error|parse error|SyntaxError"), "syntax error"),
    (re.compile(r"time for a load was up"), "the time for a load was up"),
    (re.compile(r"^nothing was there"), "it builds nothing"),
    (re.compile(r"[Uu]ndefined (?:variable|function)|undefined object|has no attribute|NameError"),
     "a name that nothing defines"),
)  # fmt: skip
_CALLED = re.compile(r"^(?:NEURON|nrniv): *")
_PARTICULAR = re.compile(r"\"[^\"]*\"|'[^']*'|\b\d[\w.]*|\([\w. ]+:\d+\)")
_MAX_WORDS = 12


def cause_of(reason: str) -> str:
    """The kind of an error: what is particular to one model is left out.

    Args:
        reason: What NEURON, Python or the sandbox said.
    """
    for pattern, kind in _KNOWN:
        if found := pattern.search(reason):
            return kind.format(**found.groupdict())
    first = _CALLED.sub("", next(iter(reason.strip().splitlines()), ""))
    words = _PARTICULAR.sub("", first).replace(":", " ").split()
    return " ".join(words[:_MAX_WORDS]) or "an error without a word"


def cause_of_failure(reason: str) -> str:
    """Why nothing could be built of a source."""
    return f"{CODE_FAILED}: {cause_of(reason)}"


def cause_of_error(reason: str) -> str:
    """Why a load ended before the code did."""
    return f"its code ends in an error: {cause_of(reason)}"


def cause_of_lack(missing: str) -> str:
    """The kind of what a load is known to lack."""
    return " ".join(_PARTICULAR.sub("", missing.partition(":")[0]).split())
