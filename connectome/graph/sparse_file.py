"""A network as .npz: scipy reads the matrix of it, numpy the ids and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from connectome.files import whole_file
from connectome.graph.network import Network


def write_npz(network: Network, path: Path) -> None:
    """Write synapses from the row's neuron to the column's as `scipy.sparse.load_npz` reads them.

    `ids` int64 are the neurons of rows and columns; each label is an array of texts `label_NAME`, empty where nothing
    is said.

    Raises:
        StorageError: the file can't be written.
    """
    matrix = network.adjacency()
    labels: dict[str, Any] = {
        f"label_{name}": np.array([v or "" for v in values], str) for name, values in network.labels.items()
    }
    with whole_file(path) as file:
        np.savez_compressed(
            file,
            format=np.array(b"csr"),
            _is_array=np.array(True),
            shape=np.array(matrix.shape),
            data=matrix.data,
            indices=matrix.indices,
            indptr=matrix.indptr,
            ids=network.ids,
            **labels,
        )
