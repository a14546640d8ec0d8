"""Edges in long form as a matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def pivot(edges: pa.Table, neurons: Sequence[int]) -> pa.Table:
    """The adjacency matrix of neurons.

    Args:
        edges: pre_id, post_id, synapse_count; both ids among the neurons, each pair at most once.
        neurons: the order of rows and columns; a repeated one counts once.

    Returns:
        `pre_id` int64 and one int64 column a neuron, named by its id: synapses from the row's neuron to the column's.
    """
    order = list(dict.fromkeys(neurons))
    place = {neuron: i for i, neuron in enumerate(order)}
    counts = np.zeros((len(order), len(order)), np.int64)
    rows = [place[neuron] for neuron in edges["pre_id"].to_pylist()]
    columns = [place[neuron] for neuron in edges["post_id"].to_pylist()]
    counts[rows, columns] = edges["synapse_count"].to_numpy()
    named = {str(neuron): pa.array(counts[:, i]) for i, neuron in enumerate(order)}
    return pa.table({"pre_id": pa.array(order, pa.int64()), **named})
