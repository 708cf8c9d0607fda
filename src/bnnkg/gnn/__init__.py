"""Computational graphs, the network that learns from them, and its training."""

import warnings

with warnings.catch_warnings():
    # While it is imported, torch_geometric calls torch.jit.script, which newer torch deprecates.
    warnings.filterwarnings("ignore", message=".*torch.jit.script", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
    import torch_geometric.data  # noqa: F401
