"""`connectome report`: what a run is, holds and looks like, as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from connectome.errors import ConnectomeError
from connectome.evaluate.edges import EdgeScore, JudgedSynapse
from connectome.files import whole_file
from connectome.geometry import NmTriple
from connectome.plots.report import CLEFT, POST, PRE, Histogram, histogram_svg, matrix_svg, section_png
from connectome.query.connectome import Connectome
from connectome.query.runs import RunReport, describe_run
from connectome.selection import Filter
from connectome.view.page import Part, drawing, facts, page, picture, table, text_of
from connectome.view.sections import SectionReader

NEURONS_IN_MATRIX = 30
PICTURES = 6
MOST_ERRORS = 12
GROUPS = {"random": "at random", "least": "the least certain", "most": "the most certain"}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A synapse to show: its cleft (None where it was missed), partners, centroid (z, y, x) in nm, and a caption."""

    cleft_id: int | None
    pre: int
    post: int
    centroid_nm: NmTriple
    caption: str


def write_report(connectome: Connectome, run: str, path: Path, score: EdgeScore | None = None) -> Path:
    """Write the report of a run.

    Args:
        connectome: where the run is.
        run: a finished run.
        path: of the HTML file; an existing one is replaced once the new one is whole.
        score: of the run against a reference; its errors are shown too.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, or it isn't finished. StorageError: it can't be written.
    """
    text = report_text(connectome, run, score)
    with whole_file(path) as file:
        file.write(text.encode())
    return path


def report_text(connectome: Connectome, run: str, score: EdgeScore | None = None) -> str:
    """The page of a run (see `write_report`)."""
    described = describe_run(connectome.database, run)
    parts = [
        Part(title="What it holds", body=_counts(connectome, run)),
        Part(title="Distributions", body=_distributions(connectome, run)),
        Part(title="The most connected neurons", body=_matrix(connectome, run)),
        Part(title="Synapses to look at", body=_gallery(connectome, described)),
    ]
    if score is not None:
        parts.insert(1, Part(title="Against the reference", body=_score(score, described)))
    parts.append(Part(title="How it was made", body=_making(described)))
    warnings = "".join(f'<p class="warning">{escape(text)}</p>' for text in _warnings(described))
    return page(f"Run {run}", f"<p>{escape(_lead(described))}</p>{warnings}", parts)


def _lead(described: RunReport) -> str:
    run = described.run
    made = f"built on {run.created_at:%d %B %Y}" if run.inputs is not None else f"imported on {run.created_at:%d %B %Y}"
    return f"{made.capitalize()} by connectome {run.code_version}; it is {described.state}."


def _warnings(described: RunReport) -> list[str]:
    """What was doubtful when the run was built."""
    return [str(text) for text in described.run.parameters.get("warnings", [])]


def _counts(connectome: Connectome, run: str) -> str:
    rows = connectome.ready("run_summary", Filter(run=run)).to_pylist()
    return facts([(name.replace("_", " "), value) for name, value in rows[0].items()])


def _distributions(connectome: Connectome, run: str) -> str:
    sizes = connectome.ready("size_histogram", Filter(run=run)).to_pylist()
    scores = connectome.ready("score_histogram", Filter(run=run)).to_pylist()
    weights = connectome.ready("weight_histogram", Filter(run=run)).to_pylist()
    degrees = connectome.ready("degree_histogram", Filter(run=run)).to_pylist()
    drawn = [
        _drawn(sizes, ("start_voxels", "stop_voxels", "clefts"), "size of a cleft in voxels", logarithmic=True),
        _drawn(scores, ("start", "stop", "synapses"), "confidence of a synapse"),
        _drawn(weights, ("start_synapses", "stop_synapses", "edges"), "synapses of an edge", logarithmic=True),
    ]
    for side in ("input", "output"):
        rows = _binned([row for row in degrees if row["direction"] == side])
        drawn.append(_drawn(rows, ("start", "stop", "neurons"), f"{side} partners of a neuron", logarithmic=True))
    return f'<div class="figures">{"".join(drawn)}</div>'


def _drawn(rows: list[dict[str, float]], names: tuple[str, str, str], label: str, *, logarithmic: bool = False) -> str:
    """A histogram of rows that say where a bin begins, where it ends, and how many it holds."""
    start, stop, count = names
    if not any(row[count] for row in rows):
        return f"<figure><figcaption>{escape(label)}: nothing to count</figcaption></figure>"
    edges = np.array([row[start] for row in rows] + [rows[-1][stop]], np.float64)
    counts = np.array([row[count] for row in rows], np.int64)
    svg = histogram_svg(Histogram(edges=edges, counts=counts, label=label, counted=count, logarithmic=logarithmic))
    values = table(("from", "to", count), [(row[start], row[stop], row[count]) for row in rows])
    return drawing(svg, f"{count.capitalize()} by {label}", values)


def _binned(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """Counts of whole numbers in bins that double in width."""
    if not rows:
        return []
    partners = np.array([row["partners"] for row in rows])
    neurons = np.array([row["neurons"] for row in rows])
    places = np.floor(np.log2(partners)).astype(np.int64)
    return [
        {"start": 2**bin_, "stop": 2 ** (bin_ + 1), "neurons": int(neurons[places == bin_].sum())}
        for bin_ in range(int(places.min()), int(places.max()) + 1)
    ]


def _matrix(connectome: Connectome, run: str) -> str:
    totals = connectome.ready("neuron_totals", Filter(run=run), limit=NEURONS_IN_MATRIX).to_pylist()
    ids = [int(row["neuron_id"]) for row in totals]
    if not ids:
        return "<p>The run has no edge.</p>"
    edges = connectome.ready("adjacency", Filter(run=run), neurons=ids).to_pylist()
    place = {one: i for i, one in enumerate(ids)}
    counts = np.zeros((len(ids), len(ids)), np.int64)
    for row in edges:
        counts[place[int(row["pre_id"])], place[int(row["post_id"])]] = row["synapse_count"]
    says = f"Synapses among the {len(ids)} neurons with the most synapses; darker is more"
    rows = [tuple(row[name] for name in totals[0]) for row in totals]
    return drawing(matrix_svg(counts, ids), says, table(tuple(totals[0]), rows), wide=True)


def _gallery(connectome: Connectome, described: RunReport) -> str:
    if described.run.inputs is None:
        return "<p>The run was imported: it has no volumes to show.</p>"
    groups = []
    for order, title in GROUPS.items():
        where = Filter(run=described.run.name)
        rows = connectome.ready("example_synapses", where, order=order, limit=PICTURES).to_pylist()
        shown = [
            Shown(
                cleft_id=int(row["cleft_id"]),
                pre=int(row["pre_segment_id"]),
                post=int(row["post_segment_id"]),
                centroid_nm=(row["z_nm"], row["y_nm"], row["x_nm"]),
                caption=f"{row['pre_segment_id']} to {row['post_segment_id']}, {text_of(row['confidence'])}",
            )
            for row in rows
        ]
        groups.append(f"<h3>{len(shown)} {title}</h3>{_tiles(described, shown)}")
    return f"{_key()}{''.join(groups)}"


def _key() -> str:
    names = (("cleft", CLEFT), ("presynaptic", PRE), ("postsynaptic", POST))
    keys = ", ".join(f'<span class="key" style="color: {colour}"></span> {name}' for name, colour in names)
    return f'<p class="note">One section through the middle of a cleft, 1 µm wide. Outlined: {keys}.</p>'


def _tiles(described: RunReport, shown: Iterable[Shown]) -> str:
    try:
        reader = SectionReader(described.run)
        tiles = [
            picture(
                section_png(reader.section(one.centroid_nm), one.cleft_id, one.pre, one.post),
                f"A synapse from {one.pre} to {one.post} at {_place(one.centroid_nm)}",
                f"{one.caption}; {_place(one.centroid_nm)}",
            )
            for one in shown
        ]
    except ConnectomeError as error:  # a volume that was moved: everything else of the report is still right
        return f"<p>No pictures: {escape(str(error))}</p>"
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _place(centroid_nm: NmTriple) -> str:
    z, y, x = centroid_nm
    return f"x {x:,.0f}, y {y:,.0f}, z {z:,.0f} nm"


def _score(score: EdgeScore, described: RunReport) -> str:
    true = score.true_positives
    rows = [
        (name, round(value, 3), f"{low:.3f} to {high:.3f}", of)
        for name, value, (low, high), of in (
            (
                "precision",
                score.precision,
                score.precision_interval,
                f"{true:,} of {score.n_predicted:,}",
            ),
            ("recall", score.recall, score.recall_interval, f"{true:,} of {score.n_reference:,}"),
        )
    ]
    body = table(("", "value", "95 % interval (Wilson)", "synapses"), rows) + f"<p>Edge F1 {score.f1:.3f}.</p>"
    for title, judged in (("False", score.false_positive_synapses), ("Missed", score.false_negative_synapses)):
        if not judged:
            continue
        by_reason: dict[str, list[JudgedSynapse]] = {}
        for one in judged:
            by_reason.setdefault(one.reason.value, []).append(one)
        for reason, ones in sorted(by_reason.items()):
            first = [_judged(one) for one in ones[:MOST_ERRORS]]
            of = f", the first {len(first)}" if len(first) < len(ones) else ""
            body += f"<h3>{title}: {escape(reason)} ({len(ones):,}{of})</h3>{_tiles(described, first)}"
    return body


def _judged(one: JudgedSynapse) -> Shown:
    cleft = one.cleft_id
    caption = f"cleft {cleft}" if cleft is not None else f"annotated cleft {one.reference_cleft_id}"
    return Shown(
        cleft_id=cleft, pre=one.pre_segment_id, post=one.post_segment_id, centroid_nm=one.centroid_nm, caption=caption
    )


def _making(described: RunReport) -> str:
    run = described.run
    inputs: list[tuple[str, object]] = []
    if run.inputs is not None:
        inputs = [
            ("image", run.image_url),
            ("segmentation", run.segmentation_url),
            ("box (z, y, x in working voxels)", str(run.box)),
            ("folder", str(run.folder)),
        ]
    models = [(m.role, m.name, m.method, m.sha256[:12]) for m in described.models]
    stages = [(s.stage, s.blocks, s.voxels, s.unit, round(s.seconds, 1)) for s in described.stages]
    parameters: Sequence[tuple[str, object]] = sorted(run.parameters.items())
    return "".join(
        (
            facts(inputs),
            "<h3>Models</h3>" + table(("role", "name", "method", "SHA-256"), models) if models else "",
            "<h3>Stages</h3>" + table(("stage", "blocks", "amount", "unit", "seconds"), stages) if stages else "",
            f"<h3>Parameters</h3>{facts(parameters)}",
        )
    )
