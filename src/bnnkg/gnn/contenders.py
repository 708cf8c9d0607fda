"""All networks that answer the same questions: BGAN, others, BGAN without a part or with more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from bnnkg.gnn.ablations import OneMask, without_bmsa, without_cls, without_nsa
from bnnkg.gnn.baselines import TRAINED
from bnnkg.gnn.bgan import Bgan, BganConfig
from bnnkg.schema.computation import Kind

BGAN = "bgan"
WITH_SYNTHETIC = "bgan_with_synthetic_data"
Group = Literal["bgan", "network", "baseline", "ablation", "data"]
Make = Callable[[BganConfig, Mapping[Kind, int]], nn.Module]


@dataclass(frozen=True)
class Contender:
    """A kind of network.

    Attributes:
        name: Unique.
        group: BGAN; a network of as many parameters; a smaller one; BGAN without a part; BGAN with
            more to train on.
        make: Makes it, from BGAN's shape and the number of features of each kind.
        reads_neurons_alone: Whether it has rows of neurons only, and can be asked for nothing else.
        is_shuffled: Whether it is trained on graphs whose hierarchy is shuffled.
        has_synthetic: Whether it is trained on synthetic models, too.
    """

    name: str
    group: Group
    make: Make
    reads_neurons_alone: bool = False
    is_shuffled: bool = False
    has_synthetic: bool = False


def _smaller(name: str, config: BganConfig, widths: Mapping[Kind, int]) -> nn.Module:
    return TRAINED[name](widths["neuron"], config.width, config.dropout)


def _as_large(name: str, config: BganConfig, widths: Mapping[Kind, int]) -> nn.Module:
    from bnnkg.gnn.rivals import LAYERS, rival

    return rival(LAYERS[name], config, widths)


_RIVALS = ("mlp", "gine", "gatv2", "transformer", "hgt", "gps")
"""Of ``LAYERS``, which are imported with PyG."""
_ALL = (
    Contender(BGAN, "bgan", Bgan),
    *(Contender(name, "network", partial(_as_large, name)) for name in _RIVALS),
    *(Contender(name, "baseline", partial(_smaller, name), True) for name in TRAINED),
    Contender("bgan_without_nsa", "ablation", without_nsa),
    Contender("bgan_without_bmsa", "ablation", without_bmsa),
    Contender("bgan_with_one_mask", "ablation", OneMask),
    Contender("bgan_with_shuffled_hierarchy", "ablation", Bgan, is_shuffled=True),
    Contender("bgan_without_cls", "ablation", without_cls),
    Contender(WITH_SYNTHETIC, "data", Bgan, has_synthetic=True),
)
CONTENDERS: Mapping[str, Contender] = {one.name: one for one in _ALL}
