"""What runs within the sandbox, beside the code of a model: it imports nothing of bnnkg.

`start.py` is the program. It reads a job (a JSON file), loads the model's entry under NEURON,
stops at the first time step and leaves a capture: what NEURON then holds, as columns.
"""
