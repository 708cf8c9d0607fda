"""What a network attended to, against its own attention averaged elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from trained_models import TINY, circuit, training_model, untrained_run

from bnnkg.gnn.batching import collate
from bnnkg.gnn.contenders import BGAN
from bnnkg.gnn.explanation import explain
from bnnkg.gnn.fitting import make_learner
from bnnkg.gnn.sites import build_sites
from bnnkg.schema.computation import KINDS

NETWORK = replace(TINY.network, heads=4, blocks=3)


def test_attention_is_the_mean_over_heads_and_blocks() -> None:
    tensors = training_model(circuit(6)).tensors
    batch = collate([tensors], untrained_run(tensors).scaling)
    sites = build_sites(batch, heads=NETWORK.heads, hops=NETWORK.hops)
    widths = {kind: batch.x[kind].shape[1] for kind in KINDS}
    learner = make_learner(BGAN, replace(TINY, network=NETWORK), widths, seed=1).eval()
    with torch.no_grad():
        attention = learner.encoder(batch, sites, explain=True).attention
    found = explain(learner, batch, sites).sites
    assert set(found) == {attended.site.name for attended in attention}
    for name, one in found.items():
        own = [a.alpha.double().numpy() for a in attention if a.site.name == name]
        means = np.mean(own, axis=(0, 2))
        np.testing.assert_allclose(one.alpha, means, rtol=1e-12)
        receivers = one.site.dst.tolist()
        lifts = [mean * receivers.count(r) for mean, r in zip(means, receivers, strict=True)]
        np.testing.assert_allclose(one.lift, lifts, rtol=1e-12)
