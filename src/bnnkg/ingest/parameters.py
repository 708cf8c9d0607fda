"""Parameters of a component, named by dotted paths, and the content that identifies it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from bnnkg.ingest.components import Part
from bnnkg.ingest.identity import canonical_element
from bnnkg.ingest.markup import Account
from bnnkg.ingest.own_types import OwnType
from bnnkg.ingest.parsed import Parameters

REFERENCES: dict[str, tuple[str, ...]] = {
    "synapse": ("synapse",), "synapse1": ("synapse",), "synapse2": ("synapse",),
    "spikeTarget": ("synapse",), "ionChannel": ("channel",),
    "concentrationModel": ("concentration",),
}  # fmt: skip
"""Attributes that name another definition, and what kind it is of."""

Resolve = Callable[[str, str], str | None]
"""(attribute, id) to the uid of what it names; absent where it names nothing."""
OwnTypeOf = Callable[[str], OwnType | None]
"""What the source says of a type of its own; absent for NeuroML's."""


class Collector:
    """Collects the parameters of one component, and takes its elements into account.

    Args:
        account: Told of every element whose values were taken.
        resolve: What an attribute that names a definition refers to.
        own_type: What the source says of a type.
    """

    def __init__(self, account: Account, resolve: Resolve, own_type: OwnTypeOf) -> None:
        self._account = account
        self._resolve = resolve
        self._own_type = own_type
        self._numbers: dict[str, tuple[Decimal, str]] = {}
        self._texts: dict[str, str] = {}
        self._strange: list[Any] = []
        self._types: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._formulas: dict[str, str] = {}
        self._states: list[str] = []
        self._exposures: list[str] = []

    def add(self, part: Part, prefix: str = "") -> Collector:
        """Adds a part with all parts in it."""
        if not part.spoilt:
            self._account.take(part.element)
        if prefix:
            self._parts[prefix.removesuffix(".")] = _class_of(part)
        for name, quantity in part.numbers.items():
            self._numbers[prefix + name] = quantity
        for name, text in part.texts.items():
            if not _names_own_class(part, name, text, is_root=not prefix):
                self._texts[prefix + name] = self._text(part, name, text)
        for name in dict.fromkeys([part.tag, part.texts.get("type", "")]):
            self._add_type(name, prefix)
        self._strange += [[prefix, canonical_element(e, keep_id=True)] for e in part.strange]
        for name, inner in named_parts(part):
            self.add(inner, f"{prefix}{name}.")
        return self

    def _text(self, part: Part, name: str, text: str) -> str:
        if name in REFERENCES or not part.known:
            uid = self._resolve(name, text.removeprefix("./"))
            if uid is not None:
                return uid
        return text

    def _add_type(self, name: str, prefix: str) -> None:
        found = self._own_type(name) if name else None
        if found is not None:
            self._types[name] = found.digest
            self._formulas |= {prefix + key: text for key, text in found.formulas.items()}
            self._states += [prefix + state for state in found.states]
            self._exposures += [prefix + exposure for exposure in found.exposures]

    def parameters(self) -> Parameters:
        """What was collected, sorted by name."""
        numbers = sorted(self._numbers.items())
        texts = sorted({**self._formulas, **self._texts}.items())
        return Parameters(
            names=tuple(name for name, _ in numbers),
            values=tuple(float(value) for _, (value, _) in numbers),
            units=tuple(unit for _, (_, unit) in numbers),
            expression_names=tuple(name for name, _ in texts),
            expression_texts=tuple(text for _, text in texts),
            part_names=tuple(sorted(self._parts)),
            part_classes=tuple(name for _, name in sorted(self._parts.items())),
            state_names=tuple(sorted(self._states)),
            exposure_names=tuple(sorted(self._exposures)),
        )

    def content(self) -> Any:
        """What of it enters the content hash."""
        numbers = [[n, str(value), unit] for n, (value, unit) in sorted(self._numbers.items())]
        strange = sorted(self._strange, key=json.dumps)
        return [
            numbers, sorted(self._texts.items()), strange, sorted(self._types.items()),
            sorted(self._parts.items()),
        ]  # fmt: skip


def _class_of(part: Part) -> str:
    """Class of an element within a component: an undetermined ``gate`` is what its type says."""
    return part.texts.get("type") or part.tag if part.tag == "gate" else part.tag


def _names_own_class(part: Part, name: str, text: str, *, is_root: bool) -> bool:
    """Whether an attribute only repeats the class: two ways to write one thing are one content."""
    return name == "type" and (part.tag == "gate" or (is_root and text == part.tag))


def named_parts(part: Part) -> Iterator[tuple[str, Part]]:
    """Child parts with the names that their parameters begin with: a gate's id, else its tag.

    Parts of one name are numbered in the order of their content, not of the file.
    """
    by_name: dict[str, list[Part]] = {}
    for inner in part.parts:
        by_name.setdefault(_name_of(inner), []).append(inner)
    for name, parts in by_name.items():
        if len(parts) > 1:
            parts.sort(key=lambda p: json.dumps(canonical_element(p.element)))
        for place, inner in enumerate(parts):
            yield (name if place == 0 else f"{name}~{place + 1}"), inner


def _name_of(part: Part) -> str:
    if not part.id:
        return part.tag
    return part.id if is_gate(part) else f"{part.tag}.{part.id}"


def is_gate(part: Part) -> bool:
    """Whether a part of a channel is a gate: by its name, all NeuroML classes begin so."""
    return part.tag.startswith("gate") or part.tag.endswith(("Gate", "_gate"))
