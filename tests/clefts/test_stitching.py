from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from connectome.clefts.labelling import join, join_layers

LAYERS, ALONG = 6, 5


@given(st.lists(st.tuples(st.integers(0, LAYERS - 1), st.integers(0, ALONG - 1), st.integers(0, 2 * ALONG - 1))))
def test_joining_layer_by_layer_equals_joining_all_at_once(links: list[tuple[int, int, int]]) -> None:
    """Fragment `layer * ALONG + n + 1`; a link joins one with another of its layer or of the one below."""
    pairs: dict[int, list[tuple[int, int]]] = {layer: [] for layer in range(LAYERS)}
    for layer, a, b in links:
        below = b >= ALONG and layer > 0
        pairs[layer].append((layer * ALONG + a + 1, (layer - below) * ALONG + b % ALONG + 1))
    arrays = [np.array(found, np.int64).reshape(-1, 2) for found in pairs.values()]
    layers = ((array, np.arange(layer * ALONG + 1, (layer + 1) * ALONG + 1)) for layer, array in enumerate(arrays))
    parts = list(join_layers(layers))
    fragments = np.concatenate([part[0] for part in parts])
    clefts = np.concatenate([part[1] for part in parts])
    wanted_fragments, wanted_clefts = join(np.concatenate(arrays))
    assert len(np.unique(fragments)) == len(fragments)
    order = np.argsort(fragments)
    assert np.array_equal(fragments[order], wanted_fragments)
    assert np.array_equal(clefts[order], wanted_clefts)


def test_an_object_is_given_as_soon_as_no_later_layer_reaches_it() -> None:
    layers = [
        (np.array([[1, 2]]), np.array([1, 2, 3])),
        (np.array([[3, 6]]), np.array([6])),
        (np.zeros((0, 2), np.int64), np.zeros(0, np.int64)),
    ]
    assert [part[0].tolist() for part in join_layers(layers)] == [[], [1, 2], [3, 6], []]
