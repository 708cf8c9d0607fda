"""The one declaration of the graph, and the records that fit it."""

from bnnkg.schema.columns import Joined, LazyColumn, Numbered, Numbers, Picked, Same, Written
from bnnkg.schema.declaration import EdgeType, NodeType, Property
from bnnkg.schema.graph import EDGES, NODES, SCHEMA_VERSION, edge_type, fingerprint, node_type
from bnnkg.schema.records import Column, EdgeTable, GraphTables, NodeTable, validate

__all__ = [
    "EDGES",
    "NODES",
    "SCHEMA_VERSION",
    "Column",
    "EdgeTable",
    "EdgeType",
    "GraphTables",
    "Joined",
    "LazyColumn",
    "NodeTable",
    "NodeType",
    "Numbered",
    "Numbers",
    "Picked",
    "Property",
    "Same",
    "Written",
    "edge_type",
    "fingerprint",
    "node_type",
    "validate",
]
