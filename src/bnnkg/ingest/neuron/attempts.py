"""One try to load a configuration, and what is worth trying after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bnnkg.errors import SandboxError
from bnnkg.ingest.neuron.hints import Configuration
from bnnkg.sandbox import Outcome

MAX_TEXT = 2000
MAX_BUTTONS = 12
ABSENT_MODULE = re.compile(
    r"(?:No module named '([A-Za-z_]\w*)"
    # of these, which keep results, what is installed may be too new for the model
    r"|module '(tables|h5py|pandas|netCDF4)[\w.]*' has no attribute)"
)
UNKNOWN_MECHANISM = re.compile(
    r"is not a MECHANISM|is not a template|[Uu]ndefined (?:variable|function)|not a range variable"
    r"|object has no attribute|not a density mechanism|undefined object|not a membrane mechanism"
)

IDLE = re.compile(r"\W*(?:quit|exit|stop\w*|stdinit|run|continuerun|steprun|doNotify)\b[^a-z]*")


@dataclass(frozen=True)
class Plan:
    """A configuration and how to load it.

    Attributes:
        configuration: Entry, folder and commands.
        stubs: Whether mechanisms are stubs; otherwise the author's mods are compiled.
        all_mods: Whether all mods of the source are there, not only those beside the entry.
        absent: Python modules to stand in for.
        why: The fallback that it is; empty for a configuration as given.
    """

    configuration: Configuration
    stubs: bool = True
    all_mods: bool = False
    absent: tuple[str, ...] = ()
    why: str = ""

    @property
    def key(self) -> Plan:
        """The same plan, whatever led to it."""
        return replace(self, why="", configuration=replace(self.configuration, why=""))


@dataclass(frozen=True)
class Attempt:
    """How a try to load a configuration went.

    Attributes:
        entry: File that was loaded.
        commands: hoc statements after it.
        fallback: What was different from a plain load; empty for nothing.
        status: `loaded` (a structure, without an error), `inert` (the same, but nothing in any
            membrane), `partial` (a structure, but the load ended in an error), `empty` (no error
            and nothing there), `failed`.
        reason: Why it is not `loaded`.
        cpu_s: CPU time.
        seconds: Wall time.
        peak_memory_bytes: Memory.
        size: Sections, point processes and NetCons that were found.
        doubts: Why the author's mods could have given another structure than their stubs.
    """

    entry: str
    commands: tuple[str, ...]
    fallback: str
    status: str
    reason: str
    cpu_s: float
    seconds: float
    peak_memory_bytes: int
    size: int
    doubts: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing better can be hoped for."""
        return self.status == "loaded" and not self.doubts


@dataclass(frozen=True)
class Told:
    """What a session told of itself; written by a stranger's process, so only as text."""

    stopped: str = ""
    error: str = ""
    doubts: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    n_sections: int = 0
    n_points: int = 0
    n_artificial: int = 0
    n_netcons: int = 0
    n_membrane: int = 0
    n_reactions: int = 0
    captured: bool = False

    @property
    def size(self) -> int:
        """How much was found."""
        return self.n_sections + self.n_points + self.n_artificial + self.n_netcons

    @property
    def has_structure(self) -> bool:
        """Whether there is anything to make a graph of."""
        return self.captured and (self.n_sections > 0 or self.n_artificial > 0)

    @property
    def is_inert(self) -> bool:
        """Whether nothing stands in the membranes: more than a load that ends there makes."""
        active = self.n_membrane or self.n_points or self.n_artificial or self.n_reactions
        return not active


def read_told(content: bytes) -> Told:
    """Reads what a session told of itself.

    Raises:
        SandboxError: It is not of the form.
    """
    try:
        values = json.loads(content)
        counts = values.get("counts") or {}
        return Told(
            stopped=str(values["stopped"])[:MAX_TEXT],
            error=str(values["error"] or values.get("capture_error") or "")[:MAX_TEXT],
            doubts=_texts(values["doubts"]),
            buttons=_texts(button[1] for button in values["buttons"]),
            fallbacks=_texts(values["fallbacks"]),
            n_sections=_count(counts.get("sections", 0)),
            n_points=sum(map(_count, counts.get("points", {}).values())),
            n_artificial=sum(map(_count, counts.get("artificial", {}).values())),
            n_netcons=_count(counts.get("netcons", 0)),
            n_membrane=sum(map(_count, counts.get("density", {}).values())),
            n_reactions=_count(values.get("reactions", 0)),
            captured="counts" in values,
        )
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise SandboxError("the session told nothing that can be read", found=repr(error)) from None


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value)[:MAX_TEXT] for value, _ in zip(values, range(200), strict=False))


def _count(value: Any) -> int:
    return min(max(int(value), 0), 10**9)


def judge(plan: Plan, told: Told | None, outcome: Outcome, seconds: float) -> Attempt:
    """What became of a plan."""
    if told is None:
        status, reason = "failed", outcome.message or _last_lines(outcome.stderr)
    elif told.has_structure:
        status, reason = ("partial", told.error) if told.error else ("loaded", "")
        if status == "loaded" and told.is_inert:
            status, reason = "inert", "no section has a mechanism and no point process is there"
    elif told.error:
        status, reason = "failed", told.error
    else:
        status, reason = "empty", f"nothing was there at the {told.stopped}"
    fallback = "; ".join(told.fallbacks) if told else plan.why
    return Attempt(
        entry=plan.configuration.entry,
        commands=plan.configuration.commands,
        fallback=fallback,
        status=status,
        reason=reason,
        cpu_s=outcome.cpu_s,
        seconds=seconds,
        peak_memory_bytes=outcome.peak_memory_bytes,
        size=told.size if told else 0,
        doubts=told.doubts if told else (),
    )


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-4:])[-MAX_TEXT:] or "it ended without a word"


def follow_ups(
    plan: Plan, attempt: Attempt, told: Told | None, *, has_native: bool, has_more_mods: bool
) -> Iterator[Plan]:
    """Plans that may do better, the likeliest first.

    Args:
        plan: What was tried.
        attempt: How it went.
        told: What the session told.
        has_native: Whether the author's code may be compiled and there is any.
        has_more_mods: Whether the source has mods elsewhere.
    """
    failed = attempt.status in ("partial", "failed")
    if match := ABSENT_MODULE.search(attempt.reason):
        module = match.group(match.lastindex or 1)
        if module not in plan.absent:
            yield _with(plan, f"module {module} absent", absent=(*plan.absent, module))
        return
    unknown = failed and UNKNOWN_MECHANISM.search(attempt.reason)
    if unknown and has_more_mods and not plan.all_mods:
        yield _with(plan, "all mods of the source", all_mods=True)
    if plan.stubs and has_native and _may_be_for_stubs(attempt, told):
        yield _with(plan, "author's mods compiled", stubs=False)
    if (
        told is not None
        and attempt.status in ("empty", "inert")
        and not plan.configuration.commands
    ):
        commands = [command for command in told.buttons if not IDLE.fullmatch(command)]
        for command in dict.fromkeys(commands[:MAX_BUTTONS]):
            configuration = replace(plan.configuration, commands=(command,), why="a button")
            yield replace(plan, configuration=configuration, why=_join(plan.why, "button"))


def _may_be_for_stubs(attempt: Attempt, told: Told | None) -> bool:
    """Whether the author's mods may do better than their stubs."""
    if attempt.doubts or told is None:
        return True
    failed = attempt.status in ("partial", "failed")
    return failed and bool(UNKNOWN_MECHANISM.search(attempt.reason))


def _with(plan: Plan, why: str, **changes: Any) -> Plan:
    return replace(plan, why=_join(plan.why, why), **changes)


def _join(*parts: str) -> str:
    return "; ".join(filter(None, parts))


RANKS = {"loaded": 4, "partial": 3, "inert": 2, "empty": 1, "failed": 0}


def better(a: Attempt, b: Attempt | None) -> bool:
    """Whether an attempt found more than another."""
    return b is None or _rank(a) > _rank(b)


def _rank(attempt: Attempt) -> tuple[int, bool, int]:
    return RANKS[attempt.status], not attempt.doubts, attempt.size
