"""Models that are made, written as NeuroML 2 documents: they are read as any other source is."""

from bnnkg.synthesize.motifs import plant_motifs
from bnnkg.synthesize.parts import PARTS, Part, plant_parts
from bnnkg.synthesize.planted import DIFFICULTIES, Difficulty, Planted, Truth, plant
from bnnkg.synthesize.wiring import wire

__all__ = [
    "DIFFICULTIES", "PARTS", "Difficulty", "Part", "Planted", "Truth", "plant", "plant_motifs",
    "plant_parts", "wire",
]  # fmt: skip
