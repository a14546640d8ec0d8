"""The whole way on a phantom: make it, build it, score it, export it, ask it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connectome.errors import RunConflictError
from connectome.evaluate.edges import EdgeScore
from connectome.geometry import Triple
from connectome.phantom import PhantomConfig, write_phantom
from connectome.pipeline.build import BuildSummary, build_volume
from connectome.pipeline.request import BuildRequest, Execution, InputVolumes
from connectome.query.connectome import Connectome
from connectome.query.graphs import GraphFormat, export_graph
from connectome.query.networks import GraphChoice
from connectome.records import Progress
from connectome.scoring.edges import score_edges
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.sql import run_sql
from connectome.view.report import write_report

QUERIES = {
    "the strongest edges": "SELECT pre_segment_id, post_segment_id, synapse_count, size_voxels FROM edge "
    "JOIN run USING (run_id) WHERE name = '{run}' ORDER BY synapse_count DESC, size_voxels DESC LIMIT 5",
    "the neurons with the most inputs": "SELECT post_segment_id, count(*) AS synapses, "
    "count(DISTINCT pre_segment_id) AS partners FROM synapse JOIN run USING (run_id) WHERE name = '{run}' "
    "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5",
    "the least certain synapses": "SELECT cleft_id, pre_segment_id, post_segment_id, "
    "round(confidence::numeric, 3) AS confidence, round(x_nm) AS x_nm, round(y_nm) AS y_nm, round(z_nm) AS z_nm "
    "FROM synapse JOIN cleft USING (run_id, cleft_id) JOIN run USING (run_id) WHERE name = '{run}' "
    "ORDER BY confidence LIMIT 5",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A query and its rows."""

    title: str
    query: str
    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """The results of the demo: `phantom` is a folder of volumes with the truth beside them."""

    phantom: Path
    summary: BuildSummary
    score: EdgeScore
    graphml: Path
    report: Path
    answers: list[Answer]


def run_demo(shape: Triple, seed: int, execution: Execution, progress: Progress) -> DemoReport:
    """Run the demo; a second one with the same data folder uses what the first one made.

    Args:
        shape: voxels (z, y, x) of the phantom.
        seed: of the phantom.
        execution: how it is built; everything goes into its data folder.
        progress: is told how far it is.

    Raises:
        StorageError: the folder can't be written. DatabaseError: the database can't be reached.
    """
    folder, run_name = execution.data_folder, f"demo-{'x'.join(map(str, shape))}-seed{seed}"
    phantom = folder / "phantoms" / run_name.removeprefix("demo-")
    if not (phantom / "annotations.csv").exists():
        write_phantom(PhantomConfig(shape=shape, seed=seed), phantom, progress=progress, overwrite=True)
    build = BuildRequest(
        name=run_name,
        volumes=InputVolumes(image=str(phantom / "raw.zarr"), segmentation=str(phantom / "neuron_ids.zarr")),
        execution=execution,
    )
    try:
        summary = build_volume(build, progress)
    except RunConflictError:  # other weights than last time: the demo is there to be run again
        summary = build_volume(replace(build, execution=replace(execution, restart=True)), progress)
    with Database.open(execution.database_url, folder) as database:
        score = score_edges(database, run_name, phantom, None, progress)
        choice = GraphChoice(where=Filter(run=run_name))
        saved = export_graph(database, folder / "demo.graphml", GraphFormat.GRAPHML, choice)
        report = write_report(Connectome(database), run_name, folder / "demo.html", score)
        answers = [_ask(database, title, query.format(run=run_name)) for title, query in QUERIES.items()]
    return DemoReport(phantom=phantom, summary=summary, score=score, graphml=saved.path, report=report, answers=answers)


def _ask(database: Database, title: str, query: str) -> Answer:
    result = run_sql(database, query)
    return Answer(title=title, query=query, columns=result.columns, rows=list(result.rows))
