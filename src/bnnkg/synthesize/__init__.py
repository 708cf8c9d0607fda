"""Models that are made, written as NeuroML 2 documents: they are read as any other source is."""

from bnnkg.synthesize.motifs import plant_motifs
from bnnkg.synthesize.planted import DIFFICULTIES, Difficulty, Planted, Truth, plant

__all__ = ["DIFFICULTIES", "Difficulty", "Planted", "Truth", "plant", "plant_motifs"]
