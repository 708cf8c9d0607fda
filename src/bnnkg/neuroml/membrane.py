"""What a cell's membrane and cytoplasm are like, as ``biophysicalProperties``."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from bnnkg.neuroml.cells import Groups, Shape
from bnnkg.neuroml.components import IdOf
from bnnkg.neuroml.grammar import child, element, name_of
from bnnkg.neuroml.graph import Row
from bnnkg.neuroml.values import number, quantity

_TWO_POOLS = "2CaPools"
_FIELDS = (
    ("gbar_S_per_cm2", "condDensity", "S_per_cm2"),
    ("erev_mV", "erev", "mV"),
    ("permeability_cm_per_s", "permeability", "cm_per_s"),
    ("v_shift_mV", "vShift", "mV"),
    ("c_init_mM", "initialConcentration", "mM"),
    ("c_ext_mM", "initialExtConcentration", "mM"),
)
_VARIES = re.compile(r"(\w+) = (.*); ([^;]*)\Z")


class Membrane:
    """Writes the properties of one cell.

    Args:
        cell: Its Cell.
        shape: Its segments.
        groups: Its segment groups; more are added where a property needs one.
        placements: Its HAS_MECHANISM edges.
        id_of: Ids of mechanisms.
        can_write: Whether NeuroML can express a mechanism.
    """

    def __init__(
        self,
        cell: Row,
        shape: Shape,
        groups: Groups,
        placements: list[Row],
        id_of: IdOf,
        can_write: Callable[[str], bool],
    ) -> None:
        self._cell, self._shape, self._groups = cell, shape, groups
        self._placements, self._id_of, self._can_write = placements, id_of, can_write
        self._measures: dict[str, str] = {}
        pools = _TWO_POOLS if cell["cell_class"] == f"cell{_TWO_POOLS}" else ""
        self._top = element(f"biophysicalProperties{pools}", {"id": "biophysics"})
        self._membrane = child(self._top, f"membraneProperties{pools}", {})
        self._inside = child(self._top, f"intracellularProperties{pools}", {})
        self.not_written: dict[str, int] = {}

    def write(self, morphology: etree._Element) -> etree._Element:
        """The properties; what varies along the cell is declared in the morphology's groups."""
        for place in sorted(by_place := self._by_place()):
            self._density(place, by_place[place])
        for name, tag in (("v_threshold_mV", "spikeThresh"), ("v_init_mV", "initMembPotential")):
            if name in self._cell:
                child(self._membrane, tag, {"value": quantity(self._cell[name], "mV")})
        cm = self._shape.spread("cm_uF_per_cm2", "segment_cm_uF_per_cm2")
        self._spread(self._membrane, "specificCapacitance", cm, "uF_per_cm2")
        ra = self._shape.spread("ra_ohm_cm", "segment_ra_ohm_cm")
        self._spread(self._inside, "resistivity", ra, "ohm_cm")
        self._declare_measures(morphology)
        return self._top

    def _by_place(self) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = {}
        for edge in self._placements:
            found.setdefault(int(edge["uid"].rpartition("/")[2]), []).append(edge)
        return found

    def _rows(self, edges: list[Row]) -> list[int]:
        """Places of the segments that carry a density."""
        rows = []
        for edge in edges:
            index = int(edge["src"].rpartition("/")[2])
            n, first = self._shape.sections[index]["n_segments"], self._shape.first[index]
            rows += [first + place for place in edge.get("segments", range(n))]
        return rows

    def _density(self, place: int, edges: list[Row]) -> None:
        one = edges[0]
        if not self._can_write(one["dst"]):
            self.not_written[one["dst"]] = self.not_written.get(one["dst"], 0) + len(edges)
            return
        tag = one["density_class"]
        mechanism = self._id_of(one["dst"])
        owner = self._inside if tag == "species" else self._membrane
        refers = "concentrationModel" if tag == "species" else "ionChannel"
        made = child(owner, tag, {"id": f"{mechanism}_{place}", refers: mechanism})
        if "ion" in one:
            made.set("ion", one["ion"])
        formula = one.get("variable_parameter", "")
        for name, attribute, unit in _FIELDS:
            if name in one and f"{attribute} = " not in formula:
                made.set(attribute, quantity(_value(one, name), unit))
        if "n_channels" in one:
            made.set("number", number(round(sum(edge["n_channels"] for edge in edges), 6)))
        self._locate(made, one, self._rows(edges))

    def _locate(self, made: etree._Element, one: Row, rows: list[int]) -> None:
        varies = one.get("variable_parameter")
        group = self._groups.name(rows, f"carries_{one['dst'][:5]}", always=bool(varies))
        if varies:
            for text in varies.split(" | "):
                self._variable(made, text, group or "all")
        elif group:
            made.set("segmentGroup", group)

    def _variable(self, made: etree._Element, text: str, group: str) -> None:
        match = _VARIES.match(text)
        if match is None:
            return
        parameter, formula, measure = match.groups()
        if ": " in measure:
            measure = self._measures.setdefault(f"{group}|{measure}", f"p{len(self._measures)}")
        inner = child(made, "variableParameter", {"parameter": parameter, "segmentGroup": group})
        child(inner, "inhomogeneousValue", {"inhomogeneousParameter": measure, "value": formula})

    def _declare_measures(self, morphology: etree._Element) -> None:
        """Adds the groups that came by the way, and what densities vary with."""
        groups = {g.get("id"): g for g in morphology if name_of(g) == "segmentGroup"}
        ids = [s.get("id", "") for s in morphology if name_of(s) == "segment"]
        for name, rows in self._groups.segments.items():
            if name not in groups:
                groups[name] = child(morphology, "segmentGroup", {"id": name})
                for row in rows:
                    child(groups[name], "member", {"segment": ids[row]})
        for key, id_ in self._measures.items():
            group, measure = key.split("|", 1)
            about, *ends = measure.split(", ")
            variable, _, metric = about.partition(": ")
            made = child(
                groups[group], "inhomogeneousParameter",
                {"id": id_, "variable": variable, "metric": metric},
            )  # fmt: skip
            for end in ends:
                tag, name, value = end.split(" ", 2)
                child(made, tag, {name: value})
        ordered = sorted(groups.values(), key=lambda one: str(one.get("id")))
        morphology[:] = [*(one for one in morphology if one not in ordered), *ordered]

    def _spread(
        self, owner: etree._Element, tag: str, values: list[float | None], unit: str
    ) -> None:
        rows_of: dict[float, list[int]] = {}
        for row, value in enumerate(values):
            if value is not None:
                rows_of.setdefault(value, []).append(row)
        for value, rows in rows_of.items():
            group = self._groups.name(rows, f"has_{tag}")
            where = {"segmentGroup": group} if group else {}
            child(owner, tag, {"value": quantity(value, unit), **where})


def _value(edge: Row, name: str) -> float:
    """A density where it is: its mean over the section counts segments without it as none."""
    if name == "gbar_S_per_cm2" and "segment_gbar_S_per_cm2" in edge:
        per_segment = edge["segment_gbar_S_per_cm2"]
        return float(per_segment[edge["segments"][0] if "segments" in edge else 0])
    return float(edge[name])
