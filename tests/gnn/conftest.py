"""One torch thread: these graphs are small, and threads that wait for each other cost more."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
