"""Scores as text."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from connectome.evaluate.assignment import AssignmentScore, PartnerSetScore
from connectome.evaluate.edges import EdgeScore, JudgedSynapse
from connectome.evaluate.intervals import Interval
from connectome.records import Role

ROWS_SHOWN = 50
EDGE_HEADER = ("cleft", "annotated", "pre", "post", "x_nm", "y_nm", "z_nm", "why")
PARTNER_SET_HEADER = ("cleft", "right", "missed", "invented")
ASSIGNMENT_HEADER = ("cleft", "pre", "post", "annotated", "why")


def print_edge_score(score: EdgeScore) -> None:
    """Print an edge score: the figures, then the true positives, false positives and false negatives."""
    typer.echo(f"box        {score.box or 'everywhere'}")
    typer.echo(
        f"precision  {_fraction(score.precision, score.true_positives, score.n_predicted, score.precision_interval)}"
    )
    typer.echo(f"recall     {_fraction(score.recall, score.true_positives, score.n_reference, score.recall_interval)}")
    typer.echo(f"F1         {score.f1:.3f}")
    if score.n_ignored:
        typer.echo(f"ignored    {score.n_ignored} predictions in ignored space count neither way")
    _print_table("true positives", EDGE_HEADER, [_edge_cells(s) for s in score.true_positive_synapses])
    _print_table("false positives", EDGE_HEADER, [_edge_cells(s) for s in score.false_positive_synapses])
    _print_table("false negatives", EDGE_HEADER, [_edge_cells(s) for s in score.false_negative_synapses])


def print_assignment_score(score: AssignmentScore) -> None:
    """Print an assignment score: the figures, then the clefts with wrong partners."""
    typer.echo(f"accuracy       {_fraction(score.accuracy, score.correct, score.n, score.accuracy_interval)}")
    typer.echo(f"pre accuracy   {score.pre_accuracy:.3f}")
    typer.echo(f"post accuracy  {score.post_accuracy:.3f}")
    cells = [
        (
            str(error.cleft_id),
            _or_dash(error.pre_segment_id),
            _or_dash(error.post_segment_id),
            " ".join(f"{pre}->{post}" for pre, post in error.reference_pairs),
            "swapped" if error.is_swapped else "no pair" if error.pre_segment_id is None else "wrong partner",
        )
        for error in score.errors
    ]
    _print_table("errors", ASSIGNMENT_HEADER, cells)


def print_partner_set_score(score: PartnerSetScore) -> None:
    """Print a score of partner sets: of pairs, of each role, then the clefts that aren't exact."""
    for name, part in [("pairs", score.pairs), *((role.value, score.by_role[role]) for role in Role)]:
        found, true = (part.correct, part.n_chosen), (part.correct, part.n_reference)
        _print_figure(f"{name} precision", _fraction(part.precision, *found, part.precision_interval))
        _print_figure(f"{name} recall", _fraction(part.recall, *true, part.recall_interval))
        _print_figure(f"{name} F1", f"{part.f1:.3f}")
    _print_figure("exact clefts", _fraction(score.exact_share, score.exact, score.n_clefts, score.exact_interval))
    cells = [
        (str(error.cleft_id), str(error.correct), _pairs_text(error.missed), _pairs_text(error.invented))
        for error in score.errors
    ]
    _print_table("errors", PARTNER_SET_HEADER, cells)


def _print_figure(name: str, text: str) -> None:
    typer.echo(f"{name:<15}  {text}")


def _pairs_text(pairs: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{pre}->{post}" for pre, post in pairs) or "-"


def _fraction(value: float, part: int, whole: int, interval: Interval) -> str:
    return f"{value:.3f}  ({part} of {whole}; 95 % interval {interval.low:.3f} to {interval.high:.3f})"


def _edge_cells(synapse: JudgedSynapse) -> tuple[str, ...]:
    z_nm, y_nm, x_nm = synapse.centroid_nm
    return (
        _or_dash(synapse.cleft_id),
        _or_dash(synapse.reference_cleft_id),
        str(synapse.pre_segment_id),
        str(synapse.post_segment_id),
        f"{x_nm:.0f}",
        f"{y_nm:.0f}",
        f"{z_nm:.0f}",
        str(synapse.reason),
    )


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def _print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    typer.echo(f"\n{title}: {len(rows)}")
    shown = rows[:ROWS_SHOWN]
    if not shown:
        return
    widths = [max(len(row[i]) for row in (header, *shown)) for i in range(len(header))]
    for row in (header, *shown):
        cells = [cell.rjust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        typer.echo("  ".join(["", *cells, row[-1]]))
    if len(rows) > len(shown):
        typer.echo(f"  ... and {len(rows) - len(shown)} more: --json or --errors FILE.csv lists all")
