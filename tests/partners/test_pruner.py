"""Scores of ordered pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from connectome.distances import signed_proximity
from connectome.networks.architecture import PairConfig, initialise
from connectome.networks.checkpoint import Method, ModelCard, build_network
from connectome.partners.pruner import PAIRS_A_CALL, PairAssigner, ordered_pairs
from tests.partners.test_avan import SHAPE, make_patch

RESOLUTION_NM = (30.0, 12.0, 12.0)
CPU = torch.device("cpu")


def pruner(method: Method) -> PairAssigner:
    card = ModelCard(
        name="p", method=method, network=PairConfig(widths=(4, 6)), resolution_nm=RESOLUTION_NM, patch_shape=SHAPE
    )
    network = build_network(card)
    initialise(network, 3)
    return PairAssigner(card, network.eval(), CPU)


@pytest.mark.parametrize("method", [Method.MASK_PRUNER, Method.PROXIMITY_PRUNER])
def test_a_pair_is_scored_by_what_the_network_says_of_it(method: Method) -> None:
    assigner = pruner(method)
    patch = make_patch(0, [3, 8, 2**62])
    scores = assigner.score([patch])[0]
    grey = (torch.from_numpy(patch.image).float() / 255 - 0.52) / 0.16
    for i, j in ((0, 1), (1, 0), (2, 1)):
        first, second = (patch.segmentation == patch.segment_id[place] for place in (i, j))
        cleft = patch.mask.astype(np.float32)
        if method is Method.PROXIMITY_PRUNER:
            cleft = signed_proximity(patch.mask, first, second, RESOLUTION_NM)
        channels = [torch.from_numpy(array).float() for array in (cleft, first, second)]
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            wanted = torch.sigmoid(assigner._network(torch.stack([grey, *channels])[None]).float()).item()
        assert scores.pairs[i, j] == pytest.approx(wanted, abs=5e-3)


def test_a_candidates_score_is_that_of_its_best_pair_in_the_role() -> None:
    scores = pruner(Method.MASK_PRUNER).score([make_patch(0, [3, 8, 21, 2**62])])[0]
    off = np.where(np.eye(4, dtype=bool), -1, scores.pairs)
    assert scores.by_pair and (scores.pairs >= 0).all() and (scores.pairs <= 1).all()
    assert np.allclose(scores.roles, np.stack([off.max(1), off.max(0)]))


def test_many_pairs_of_several_clefts_score_as_each_cleft_alone() -> None:
    assigner = pruner(Method.PROXIMITY_PRUNER)
    patches = [make_patch(seed, list(range(1, 2 + 2 * seed))) for seed in range(4)]
    assert sum(len(p.segment_id) * (len(p.segment_id) - 1) for p in patches) > PAIRS_A_CALL
    together = assigner.score(patches)
    for patch, scores in zip(patches, together, strict=True):
        alone = assigner.score([patch])[0]
        assert scores.pairs.shape == (len(patch.segment_id),) * 2
        assert np.allclose(alone.pairs, scores.pairs, atol=1e-3)


def test_a_detectors_proximity_near_the_cleft_is_taken_as_it_is() -> None:
    assigner = pruner(Method.PROXIMITY_PRUNER)
    patch = make_patch(1, [3, 8])
    given = np.random.default_rng(0).uniform(-1, 1, SHAPE).astype(np.float32)
    detected = assigner.score([replace(patch, proximity=given)])[0]
    assert not np.allclose(detected.pairs, assigner.score([patch])[0].pairs, atol=1e-4)
    mixed = assigner.score([patch, replace(patch, proximity=given)])
    assert np.allclose(mixed[1].pairs, detected.pairs, atol=1e-3)


def test_only_pairs_of_candidates_that_may_be_chosen_are_judged() -> None:
    assigner = pruner(Method.MASK_PRUNER)
    patch = make_patch(2, [3, 8, 21, 2**62])
    everything = assigner.score([patch])[0]
    eligible = np.array([True, False, True, True])
    some = assigner.score([replace(patch, eligible=eligible)])[0]
    both = eligible[:, None] & eligible[None, :]
    assert np.allclose(some.pairs[both], everything.pairs[both], atol=1e-3)
    assert (some.pairs[~both] == 0).all() and (some.roles[:, 1] == 0).all()
    assert len(ordered_pairs(eligible)) == 6 and not (ordered_pairs(eligible) == 1).any()


def test_one_or_no_candidate_makes_no_pair() -> None:
    assigner = pruner(Method.MASK_PRUNER)
    assert assigner.score([]) == []
    none, one = assigner.score([make_patch(0, []), make_patch(0, [5])])
    assert none.roles.shape == (2, 0) and none.pairs.shape == (0, 0)
    assert one.roles.tolist() == [[0.0], [0.0]]
