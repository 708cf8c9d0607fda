"""Computational graphs, the network that learns from them, and its training."""
