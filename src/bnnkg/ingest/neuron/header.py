"""What was run, and what it held: the JSON beside the columns of a capture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from bnnkg.ingest.neuron.columns import LARGEST, wrong

MechanismKind = Literal["density", "point", "artificial"]
FORM = 1
MAX_RANGE = 100_000
"""More range quantities than this in one mechanism are no mechanism."""
MAX_PATH = 4096
_COUNTS = frozenset({"sections", "segments", "pt3d", "density", "points", "netcons", "artificial"})


@dataclass(frozen=True)
class CapturedMechanism:
    """A mechanism as NEURON knew it.

    Attributes:
        name: SUFFIX, or name of the point process or artificial cell.
        kind: density, point or artificial.
        builtin: Whether it is one of NEURON's own.
        range_names: Names of its range quantities, and the size of each (1 but for arrays).
        global_values: Its global quantities.
        mod: Its file in the source; absent where it is not from there.
    """

    name: str
    kind: MechanismKind
    builtin: bool
    range_names: tuple[tuple[str, int], ...]
    global_values: Mapping[str, tuple[float, ...]]
    mod: str | None

    @property
    def width(self) -> int:
        """Columns of its values."""
        return sum(size for _, size in self.range_names)


@dataclass(frozen=True)
class Header:
    """What was run, and what it held.

    Attributes:
        entry: File that was run.
        commands: Statements that were run after it.
        fallbacks: What it took to make it load.
        stubs: Whether the mechanisms were declarations only.
        stopped: What ended it: first step, end of load, exit or error.
        error: The error, where that was it.
        celsius: Temperature in degC.
        v_init_mV: v_init.
        mechanisms: By name.
        ions: Charges by name of the ion, such as ``na``.
        cells: Names of the objects that own sections.
        templates: The template of each.
        missing: What is known not to be recovered.
        counts: What was counted inside.
    """

    entry: str
    commands: tuple[str, ...]
    fallbacks: tuple[str, ...]
    stubs: bool
    stopped: str
    error: str | None
    celsius: float | None
    v_init_mV: float | None
    mechanisms: Mapping[str, CapturedMechanism]
    ions: Mapping[str, float | None]
    cells: tuple[str, ...]
    templates: tuple[str, ...]
    missing: tuple[str, ...]
    counts: Mapping[str, int | Mapping[str, int]]


def read_header(data: Any) -> Header:
    """Takes what JSON gave.

    Raises:
        SourceError: It is not of the form.
    """
    whole = _object(data, "capture.json")
    if whole.get("form") != FORM:
        raise wrong("another form", "capture.json", f"form {FORM}", whole.get("form"))
    cells, templates = (_texts(whole, name) for name in ("cells", "templates"))
    if len(cells) != len(templates):
        raise wrong("cells without templates", "templates", str(len(cells)), len(templates))
    return Header(
        entry=_text(whole, "entry"),
        commands=_texts(whole, "commands"),
        fallbacks=_texts(whole, "fallbacks"),
        stubs=_flag(whole, "stubs"),
        stopped=_text(whole, "stopped"),
        error=_text_or_none(whole, "error"),
        celsius=_number(whole.get("celsius"), "celsius"),
        v_init_mV=_number(whole.get("v_init"), "v_init"),
        mechanisms={
            name: _mechanism(name, _object(one, f"mechanisms.{name}"))
            for name, one in _named(whole, "mechanisms")
        },
        ions={
            name.removesuffix("_ion"): _number(
                _object(one, f"ions.{name}").get("charge"), f"ions.{name}"
            )
            for name, one in _named(whole, "ions")
        },
        cells=cells,
        templates=templates,
        missing=_texts(whole, "missing"),
        counts=_counts(_object(whole.get("counts"), "counts")),
    )


def _mechanism(name: str, one: dict[str, Any]) -> CapturedMechanism:
    where = f"mechanisms.{name}"
    kind: Any = one.get("kind")
    if kind not in get_args(MechanismKind):
        raise wrong("a mechanism of no kind", where, "density, point or artificial", kind)
    ranges = tuple(_sized(pair, where) for pair in _list(one, "range"))
    if sum(size for _, size in ranges) > MAX_RANGE:
        raise wrong("too many quantities", where, f"at most {MAX_RANGE}", len(ranges))
    if len(dict(ranges)) < len(ranges):
        raise wrong("a quantity twice", where, "each once", "twice")
    mod = _text_or_none(one, "mod")
    if mod is not None and len(mod) > MAX_PATH:
        raise wrong("a path that is too long", where, f"at most {MAX_PATH}", len(mod))
    values = dict(_valued(pair, where) for pair in _list(one, "global"))
    return CapturedMechanism(name, kind, _flag(one, "builtin"), ranges, values, mod)


def _sized(pair: Any, where: str) -> tuple[str, int]:
    match pair:
        case [str(name), int(size)] if not isinstance(size, bool) and 1 <= size <= MAX_RANGE:
            return _clean(name), size
    raise wrong("a quantity without a name and size", where, "[name, size]", pair)


def _valued(pair: Any, where: str) -> tuple[str, tuple[float, ...]]:
    match pair:
        case [str(name), list(values)] if len(values) <= MAX_RANGE:
            numbers = (_number(value, where) for value in values)
            return _clean(name), tuple(math.nan if n is None else n for n in numbers)
    raise wrong("a global without a name and values", where, "[name, [values]]", pair)


def _counts(counts: dict[str, Any]) -> dict[str, int | Mapping[str, int]]:
    found: dict[str, int | Mapping[str, int]] = {}
    for name in _COUNTS & counts.keys():
        value = counts[name]
        if isinstance(value, dict):
            found[name] = {_clean(k): _count(v, f"counts.{name}") for k, v in value.items()}
        else:
            found[name] = _count(value, f"counts.{name}")
    return found


def _count(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise wrong("no count", where, "a whole number", value)
    return value


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong("something else than an object", where, "an object", type(value).__name__)
    return value


def _named(whole: dict[str, Any], name: str) -> list[tuple[str, Any]]:
    return [(_clean(key), one) for key, one in _object(whole.get(name), name).items()]


def _list(whole: dict[str, Any], name: str) -> list[Any]:
    value = whole.get(name)
    if not isinstance(value, list):
        raise wrong("something else than a list", name, "a list", type(value).__name__)
    return value


def _texts(whole: dict[str, Any], name: str) -> tuple[str, ...]:
    values = _list(whole, name)
    if not all(isinstance(value, str) for value in values):
        raise wrong("something else than texts", name, "texts", "others")
    return tuple(_clean(value) for value in values)


def _text(whole: dict[str, Any], name: str) -> str:
    value = whole.get(name)
    if not isinstance(value, str):
        raise wrong("something else than a text", name, "a text", type(value).__name__)
    return _clean(value)


def _text_or_none(whole: dict[str, Any], name: str) -> str | None:
    return None if whole.get(name) is None else _text(whole, name)


def _clean(text: str) -> str:
    """Without what no encoding of text can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _flag(whole: dict[str, Any], name: str) -> bool:
    value = whole.get(name)
    if not isinstance(value, bool):
        raise wrong("something else than yes or no", name, "true or false", value)
    return value


def _number(value: Any, where: str) -> float | None:
    """A number; absent where it is null, not finite or beyond any physical one."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("something else than a number", where, "a number", value)
    return float(value) if abs(value) < LARGEST else None
