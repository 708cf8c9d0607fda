"""Models of the graph as NeuroML documents."""

from bnnkg.neuroml.document import Written, write_neuroml

__all__ = ["Written", "write_neuroml"]
