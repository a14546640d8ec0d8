"""Which engine a request asks for. dask is imported only where it is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from connectome.errors import ClusterError
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.run_stage import Engine
from connectome.pipeline.engines.threads import ThreadEngine
from connectome.pipeline.request import BuildRequest, Execution


def check_engine(execution: Execution) -> None:
    """Refuse what can't be done here, before anything else is.

    Raises:
        ClusterError: dask is asked for and isn't installed.
    """
    if _wants_cluster(execution) and find_spec("distributed") is None:
        raise ClusterError("other processes need dask, which isn't here: pip install 'connectome-em[cluster]'")


@contextmanager
def open_engine(context: BuildContext, request: BuildRequest) -> Iterator[Engine]:
    """The engine of a build: this process's threads, or the workers of a cluster.

    Raises:
        ClusterError: no scheduler is there, or it is gone.
    """
    if not _wants_cluster(request.execution):
        yield ThreadEngine()
        return
    from connectome.pipeline.engines.cluster import cluster_engine

    with cluster_engine(context, request) as engine:
        yield engine


def _wants_cluster(execution: Execution) -> bool:
    return execution.workers is not None or execution.scheduler is not None
