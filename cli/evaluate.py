"""`connectome evaluate`: score a run, or a model, against an annotated connectome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectome.cli.options.build import Values, build_options
from connectome.cli.options.common import BoxOption, RunOption, parse_box
from connectome.cli.options.database import DEFAULT_DATA_FOLDER, DatabaseUrlOption, DataFolderOption, JsonOption
from connectome.selection import Filter

if TYPE_CHECKING:
    from connectome.evaluate.assignment import AssignmentScore, PartnerSetScore

app = typer.Typer(no_args_is_help=True, help="Score against an annotated connectome.")
ReferenceOption = Annotated[
    Path, typer.Option("--reference", metavar="FILE.hdf", help="CREMI file with segments, clefts and partners.")
]
WrongCleftsOption = Annotated[
    Path | None,
    typer.Option("--errors", metavar="FILE.csv", show_default=False, help="Also write the wrong clefts as CSV."),
]


SHARED = (
    "image",
    "segmentation",
    "box",
    "assigner",
    "direction",
    "dilation_nm",
    "polyadic",
    "min_contact",
    "pre_threshold",
    "post_threshold",
    "normalisation",
    "device",
)
"""Options of builds that decide about partners."""


@app.command()
def edges(
    run: RunOption,
    reference: ReferenceOption,
    box: BoxOption = None,
    min_confidence: Annotated[
        float,
        typer.Option("--min-confidence", metavar="0..1", help="Score the synapses of at least this confidence."),
    ] = 0.0,
    as_json: JsonOption = False,
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors", metavar="FILE.csv", show_default=False, help="Also write every judged synapse as CSV."
        ),
    ] = None,
    database_url: DatabaseUrlOption = None,
    data_folder: DataFolderOption = DEFAULT_DATA_FOLDER,
) -> None:
    """Precision, recall and F1 of a run's synapses, matched one to one.

    A predicted cleft belongs to the annotated cleft that it overlaps most. It is right if its partners are that
    cleft's, pre and post; a second right one is false. What lies mostly in ignored space counts neither way. A synapse
    lies in the box if its cleft's centroid does. Intervals are Wilson's, 95 %.
    """
    from connectome.cli.output.evaluate import print_edge_score
    from connectome.cli.output.progress import RichProgress
    from connectome.evaluate.report import edge_report, write_edge_errors
    from connectome.scoring.edges import score_edges
    from connectome.store.database import Database

    scored_box = parse_box(box)
    Filter(min_confidence=min_confidence)  # refuses what no confidence can be
    with Database.open(database_url, data_folder) as database, RichProgress() as progress:
        score = score_edges(database, run, reference, scored_box, progress, min_confidence=min_confidence)
    if errors is not None:
        write_edge_errors(score, errors)
    if as_json:
        typer.echo(json.dumps(edge_report(score), indent=2))
    else:
        print_edge_score(score)


@app.command()
@build_options("given", *SHARED)
def assignment(
    reference: ReferenceOption, given: Values, as_json: JsonOption = False, errors: WrongCleftsOption = None
) -> None:
    """Accuracy of an assigner on annotated clefts: how often it finds both partners, and each of them.

    No run and no database are needed. A cleft lies in the box if its centroid does. In the polyadic mode precision,
    recall and F1 of all pairs of partners are given instead.
    """
    from connectome.cli.output.progress import RichProgress
    from connectome.pipeline.request import build_request
    from connectome.scoring.assignment import assign_annotated

    request = build_request(given)
    with RichProgress() as progress:
        found = assign_annotated(request, reference, progress)
    if found.polyadic:
        _tell_partner_sets(found.set_score(), errors, as_json)
    else:
        _tell_pairs(found.pair_score(), errors, as_json)


def _tell_partner_sets(score: PartnerSetScore, errors: Path | None, as_json: bool) -> None:
    from connectome.cli.output.evaluate import print_partner_set_score
    from connectome.evaluate.report import partner_set_report, write_partner_set_errors

    if errors is not None:
        write_partner_set_errors(score, errors)
    if as_json:
        typer.echo(json.dumps(partner_set_report(score), indent=2))
    else:
        print_partner_set_score(score)


def _tell_pairs(score: AssignmentScore, errors: Path | None, as_json: bool) -> None:
    from connectome.cli.output.evaluate import print_assignment_score
    from connectome.evaluate.report import assignment_report, write_assignment_errors

    if errors is not None:
        write_assignment_errors(score, errors)
    if as_json:
        typer.echo(json.dumps(assignment_report(score), indent=2))
    else:
        print_assignment_score(score)
