"""Inhomogeneous parameters: what a density that varies over a cell is at each segment."""

from __future__ import annotations

import numpy as np
from lxml import etree

from bnnkg.errors import QuantityError
from bnnkg.ingest.components import Part
from bnnkg.ingest.markup import local_name
from bnnkg.ingest.morphology import Segments
from bnnkg.ingest.parsed import Floats
from bnnkg.ingest.quantities import finite_quantity
from bnnkg.kinetics import evaluate_expression

PATH_LENGTH = "Path Length from root"
FROM_SI = {"condDensity": ("gbar", 1e-4), "permeability": ("permeability_cm_per_s", 1e2)}
"""What a formula gives in SI units: our name, and the factor to S/cm2 or cm/s."""


class Varying:
    """Evaluates the formulas of densities on one morphology.

    Args:
        segments: The morphology.
    """

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._path_um: tuple[Floats, Floats] | None = None

    def values(self, part: Part, rows: list[int]) -> dict[str, dict[int, float]] | str:
        """Values by our name and row of the segments, at the middle of each.

        Args:
            part: The ``variableParameter``.
            rows: Segments that it holds for.

        Returns:
            The values, or why there are none.
        """
        parameter = part.element.get("parameter", "")
        formulas = part.find("inhomogeneousValue")
        if parameter not in FROM_SI or len(formulas) != 1:
            return f"no formula for {parameter!r} is known"
        element = formulas[0].element
        measure = self._segments.measures.get(element.get("inhomogeneousParameter", ""))
        if measure is None or measure.get("metric") != PATH_LENGTH:
            return f"the measure {element.get('inhomogeneousParameter')!r} is not known"
        p = self._distance(measure)[rows]
        found = evaluate_expression(element.get("value", ""), {measure.get("variable", ""): p})
        if isinstance(found, str):
            return found
        name, factor = FROM_SI[parameter]
        values = np.broadcast_to(found, p.shape) * factor
        return {name: dict(zip(rows, values.tolist(), strict=True))}

    def _distance(self, measure: etree._Element) -> Floats:
        """The variable of a measure in the middle of every segment: um, or from 0 to 1."""
        start, end = self._paths()
        middle = (start + end) / 2
        group = measure.getparent()
        rows = self._segments.groups.get("" if group is None else group.get("id", ""), [])
        if not rows:
            return middle
        for child in measure:
            if local_name(child) == "proximal":
                shift = _number(child.get("translationStart"), 0.0)
                first = start[rows].min() - shift
                middle, end = middle - first, end - first
        for child in measure:
            if local_name(child) == "distal" and end[rows].max() > 0:
                whole = _number(child.get("normalizationEnd"), 1.0)
                middle = middle * whole / end[rows].max()
        return middle

    def _paths(self) -> tuple[Floats, Floats]:
        """Path in um from the root to the start and the end of every segment."""
        if self._path_um is None:
            points = np.array(
                [[*a[:3], *b[:3]] for a, b in self._ends()], dtype=np.float64
            ).reshape(-1, 6)
            lengths = np.linalg.norm(points[:, 3:] - points[:, :3], axis=1)
            start = np.zeros(len(lengths))
            for row, parent in enumerate(self._segments.parents):
                if parent >= 0:
                    along = float(self._segments.fractions[row]) * lengths[parent]
                    start[row] = start[parent] + along
            self._path_um = (start, start + lengths)
        return self._path_um

    def _ends(self) -> zip[tuple[tuple[object, ...], tuple[object, ...]]]:
        return zip(self._segments.proximal, self._segments.distal, strict=True)


def _number(text: str | None, otherwise: float) -> float:
    try:
        return float(finite_quantity(text or "", "none")[0])
    except QuantityError:
        return otherwise
