"""PyTorch Geometric, for those who need it: importing it takes longer than importing torch."""

import warnings

with warnings.catch_warnings():
    # While it is imported, torch_geometric calls torch.jit.script, which newer torch deprecates.
    warnings.filterwarnings("ignore", message=".*torch.jit.script", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
    from torch_geometric.data import HeteroData
    from torch_geometric.explain import Explainer, GNNExplainer
    from torch_geometric.nn import GATv2Conv, GINEConv, GPSConv, HGTConv, TransformerConv

__all__ = [
    "Explainer",
    "GATv2Conv",
    "GINEConv",
    "GNNExplainer",
    "GPSConv",
    "HGTConv",
    "HeteroData",
    "TransformerConv",
]
