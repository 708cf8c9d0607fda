"""Models written for NEURON: mechanisms, morphologies, and what a run of them makes."""
