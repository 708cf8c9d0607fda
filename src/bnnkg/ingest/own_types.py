"""Component types that a source itself defines, as what is known of their components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from bnnkg.ingest.identity import canonical_element, digest
from bnnkg.ingest.markup import local_name


@dataclass(frozen=True)
class OwnType:
    """A type with what it extends, as far as the source defines that.

    Attributes:
        digest: Hash of its content.
        states: Names of its state variables.
        exposures: Names of what it exposes.
        formulas: Names and texts of its constants, derived variables and derivatives; a derivative
            is that of ``x'``.
    """

    digest: str
    states: tuple[str, ...]
    exposures: tuple[str, ...]
    formulas: dict[str, str]


def own_type(chain: list[etree._Element]) -> OwnType:
    """What the elements of a type and of those that it extends say, nearest first."""
    formulas: dict[str, str] = {}
    for element in reversed(chain):
        formulas |= dict(_formulas(element))
    return OwnType(
        digest([canonical_element(element) for element in chain]),
        _names(chain, "StateVariable"),
        _names(chain, "Exposure"),
        formulas,
    )


def _names(chain: list[etree._Element], kind: str) -> tuple[str, ...]:
    names = (one.get("name", "") for element in chain for one in element.iter(f"{{*}}{kind}"))
    return tuple(sorted(set(names) - {""}))


def _formulas(element: etree._Element) -> Iterator[tuple[str, str]]:
    for one in element.iter(etree.Element):
        name, text = one.get("name", ""), " ".join((one.get("value") or "").split())
        kind = local_name(one)
        if kind in ("Constant", "DerivedParameter", "DerivedVariable"):
            yield name, text or _selected(one)
        elif kind == "ConditionalDerivedVariable":
            yield name, "; ".join(_cases(one))
        elif kind == "TimeDerivative":
            yield f"{one.get('variable', '')}'", text


def _selected(element: etree._Element) -> str:
    reduce = element.get("reduce")
    select = element.get("select") or ""
    return f"{reduce} {select}" if reduce else select


def _cases(element: etree._Element) -> Iterator[str]:
    for case in element.iterchildren("{*}Case"):
        condition, value = case.get("condition"), case.get("value") or ""
        text = value if condition is None else f"{value} if {condition}"
        yield " ".join(text.split())
