"""A filter as SQL: the common table expressions that every question begins with.

    chosen       the synapses that the filter leaves, with their neurons
    whole        all synapses of the run counted from one neuron to another, whatever the filter: what fractions are of
    pairs        the chosen synapses counted from one neuron to another, before the filter chooses edges
    neuron_type  the type of each neuron that is annotated with one
    edges        the pairs that the filter leaves
    synapses     the chosen synapses of those edges

A filter that chooses no synapses takes `pairs` from `whole`, the table edge; only another one counts them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectome.errors import NoSynapsesError, RootsError
from connectome.records import EDGE_SUMS
from connectome.selection import Filter
from connectome.store.database import Database
from connectome.store.queries.streaming import Query
from connectome.store.runs.choice import RunChoice, choose_run

ONE_BY_ONE = r"\b(FROM|JOIN) (synapses?|clefts?|chosen|candidate)\b"
SEGMENTS = 0  # the version of the roots that is always there: every segment is its own root
NAMES_SHOWN = 10
ROOTS = """
SELECT roots_id, own.name, (SELECT d.name FROM run JOIN data_set d USING (data_set_id) WHERE run_id = %s)
FROM roots LEFT JOIN data_set own USING (data_set_id) WHERE roots.name = %s"""
ROOTS_NAMES = "SELECT name FROM roots ORDER BY roots_id DESC"
HAS_EDGES = "SELECT EXISTS (SELECT FROM root_refresh WHERE run_id = %s AND roots_id = %s)"
CHOSEN = """chosen AS NOT MATERIALIZED (
    SELECT s.cleft_id, s.number, {pre} AS pre_id, {post} AS post_id, s.pre_segment_id, s.post_segment_id,
           s.confidence, s.pre_score, s.post_score, s.source_id, s.pre_supervoxel_id,
           s.post_supervoxel_id, s.pre_x_nm, s.pre_y_nm, s.pre_z_nm,
           s.post_x_nm, s.post_y_nm, s.post_z_nm, c.size_voxels, c.mean_score, c.max_score, c.x_nm, c.y_nm, c.z_nm,
           c.start_x_nm, c.start_y_nm, c.start_z_nm, c.stop_x_nm, c.stop_y_nm, c.stop_z_nm
    FROM {clefts} c JOIN synapse s ON s.run_id = c.run_id AND s.cleft_id = c.cleft_id{joins}
    WHERE s.run_id = :run_id AND c.run_id = :run_id{conditions}
)"""
IN_BOX = "clefts_in_box(:run_id, :start_x, :start_y, :start_z, :stop_x, :stop_y, :stop_z)"
TO_ROOTS = """
    LEFT JOIN synapse_root o ON o.run_id = s.run_id AND o.roots_id = :roots_id AND o.cleft_id = s.cleft_id
                            AND o.number = s.number
    LEFT JOIN root p ON p.roots_id = :roots_id AND p.segment_id = s.pre_segment_id
    LEFT JOIN root q ON q.roots_id = :roots_id AND q.segment_id = s.post_segment_id"""
SEGMENT_EDGES = """whole AS NOT MATERIALIZED (
    SELECT pre_segment_id AS pre_id, post_segment_id AS post_id, synapse_count, size_voxels, mean_confidence
    FROM edge WHERE run_id = :run_id
)"""
ROOT_EDGES = """whole AS NOT MATERIALIZED (
    SELECT pre_root_id AS pre_id, post_root_id AS post_id, synapse_count, size_voxels, mean_confidence
    FROM root_edge WHERE run_id = :run_id AND roots_id = :roots_id
)"""
ALL_PAIRS = "pairs AS NOT MATERIALIZED (SELECT * FROM whole)"
COUNTED_PAIRS = """pairs AS {materialized} (
    SELECT pre_id, post_id, {sums}
    FROM chosen GROUP BY pre_id, post_id
)"""
TYPES = """neuron_type AS NOT MATERIALIZED (
    SELECT neuron_id, value AS type FROM annotation
    WHERE data_set_id = (SELECT data_set_id FROM run WHERE run_id = :run_id) AND roots_id = :roots_id
    AND label = 'type'
)"""
EDGES = """edges AS NOT MATERIALIZED (
    SELECT pre_id, post_id, synapse_count, size_voxels, mean_confidence FROM pairs
    WHERE synapse_count >= :min_synapses{conditions}
)"""
OF_TYPE = "\n    AND {side}_id IN (SELECT neuron_id FROM neuron_type WHERE type = :{side}_type)"
SYNAPSES = """synapses AS NOT MATERIALIZED (
    SELECT * FROM chosen{conditions}
)"""
IN_EDGES = " WHERE (pre_id, post_id) IN (SELECT pre_id, post_id FROM edges)"
SYNAPSE_CONDITIONS = {
    "min_confidence": "s.confidence >= :min_confidence",
    "min_size": "c.size_voxels >= :min_size",
    "max_size": "c.size_voxels <= :max_size",
}
# With roots, all synapses that may be a neuron's: those of its segments, and those that it was given one by one.
NEAR = """(s.{side}_segment_id = ANY(:{side})
    OR s.{side}_segment_id = ANY(ARRAY(SELECT segment_id FROM root
                                       WHERE roots_id = :roots_id AND root_id = ANY(:{side})))
    OR s.cleft_id = ANY(ARRAY(SELECT cleft_id FROM synapse_root
                              WHERE run_id = :run_id AND roots_id = :roots_id AND {side}_root_id = ANY(:{side}))))"""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A filter whose run and roots have been found.

    Attributes:
        run: the run that answers.
        roots_id: the version of the roots; SEGMENTS for none.
        filter: what else it chooses.
    """

    run: RunChoice
    roots_id: int
    filter: Filter

    def query(self, body: str, *, narrow: bool = False, near: Sequence[str] = (), **parameters: Any) -> Query:
        """A query over the expressions that this file's first lines name.

        Args:
            body: its text after the common table expressions.
            narrow: it asks of given neurons, so that their synapses alone need be counted.
            near: sides, `pre` or `post`: it returns synapses alone, of the neurons in the parameter of that name.
            parameters: those of the text.

        Raises:
            NoSynapsesError: it is about synapses, and the run holds edges alone.
        """
        if self.filter.chooses_synapses or re.search(ONE_BY_ONE, body):
            self.require_synapses()
        own = {"run_id": self.run.run_id, "roots_id": self.roots_id}
        whole = SEGMENT_EDGES if self.roots_id == SEGMENTS else ROOT_EDGES
        tables = [self._chosen(near), whole, self._pairs(narrow), TYPES, self._edges(), self._synapses()]
        return Query(
            sql=f"WITH RECURSIVE {', '.join(tables)}\n{body}", parameters={**own, **self._filter_values(), **parameters}
        )

    def require_synapses(self) -> None:
        """Refuse a run without single synapses.

        Raises:
            NoSynapsesError: it holds edges alone.
        """
        if self.run.edges_only:
            raise NoSynapsesError(
                f"run '{self.run.name}' has no synapses: it holds edges alone, so synapses can't be shown or chosen "
                "one by one"
            )

    def _filter_values(self) -> Mapping[str, Any]:
        chosen = self.filter
        names = ("min_synapses", "min_confidence", "min_size", "max_size", "pre_type", "post_type")
        values = {name: getattr(chosen, name) for name in names}
        if chosen.box_nm is not None:
            for i, axis in enumerate("zyx"):
                values |= {f"start_{axis}": chosen.box_nm.start_nm[i], f"stop_{axis}": chosen.box_nm.stop_nm[i]}
        return values

    def _chosen(self, near: Sequence[str]) -> str:
        chosen = self.filter
        proofread = self.roots_id != SEGMENTS
        conditions = [text for name, text in SYNAPSE_CONDITIONS.items() if getattr(chosen, name) is not None]
        conditions += [NEAR.format(side=side) for side in near if proofread]
        return CHOSEN.format(
            pre="coalesce(o.pre_root_id, p.root_id, s.pre_segment_id)" if proofread else "s.pre_segment_id",
            post="coalesce(o.post_root_id, q.root_id, s.post_segment_id)" if proofread else "s.post_segment_id",
            clefts="cleft" if chosen.box_nm is None else IN_BOX,
            joins=TO_ROOTS if proofread else "",
            conditions="".join(f"\n    AND {condition}" for condition in conditions),
        )

    def _pairs(self, narrow: bool) -> str:
        if self.filter.chooses_synapses:
            return COUNTED_PAIRS.format(sums=EDGE_SUMS, materialized="NOT MATERIALIZED" if narrow else "MATERIALIZED")
        return ALL_PAIRS

    def _edges(self) -> str:
        sides = [side for side in ("pre", "post") if getattr(self.filter, f"{side}_type") is not None]
        return EDGES.format(conditions="".join(OF_TYPE.format(side=side) for side in sides))

    def _synapses(self) -> str:
        return SYNAPSES.format(conditions=IN_EDGES if self.filter.chooses_edges else "")


def find_scope(database: Database, where: Filter, tell: Callable[[str], object] = lambda notice: None) -> Scope:
    """The run and the roots that a filter means.

    Args:
        database: where to look.
        where: the filter.
        tell: is told which run answers where the filter names none.

    Raises:
        RunNotFoundError, IncompleteRunError: no such run, none at all, or it isn't finished.
        RootsError: no such version of the roots, or of another data set than the run.
    """
    run = choose_run(database, where.run)
    roots_id = find_roots(database, where.roots, run.run_id)
    if roots_id != SEGMENTS:
        _ensure_edges(database, run.run_id, roots_id)
    if run.notice is not None:
        tell(run.notice)
    if where.min_confidence is not None and run.unscored:
        tell(f"{run.unscored:,} synapses of run '{run.name}' have no confidence: they are left out")
    return Scope(run=run, roots_id=roots_id, filter=where)


def find_roots(database: Database, name: str | None, run_id: int) -> int:
    """The number of a version of roots; None: of the segments as they are.

    Args:
        database: where it is.
        name: of the version.
        run_id: the run that it is wanted for.

    Raises:
        RootsError: there is none of this name, or it belongs to another data set than the run.
    """
    if name is None:
        return SEGMENTS
    with database.reading() as cursor:
        cursor.execute(ROOTS, [run_id, name])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(ROOTS_NAMES)
            raise roots_not_found(name, [other for (other,) in cursor.fetchall()])
    roots_id, own, of_run = found
    if own is not None and own != of_run:
        raise roots_of_another(name, own, of_run)
    return int(roots_id)


def roots_not_found(name: str, names: Sequence[str]) -> RootsError:
    """The error where no version of roots has a name; `names` are those that there are."""
    shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    return RootsError(
        f"no version of roots named '{name}': the database has {shown}; connectome roots import makes one"
    )


def roots_of_another(name: str, own: str, wanted: str) -> RootsError:
    """The error where a version belongs to the data set `own`, not to the one that is wanted."""
    return RootsError(
        f"version '{name}' of the roots belongs to the data set '{own}', not to '{wanted}': ids mean something else "
        "there"
    )


def _ensure_edges(database: Database, run_id: int, roots_id: int) -> None:
    """Make the edges between roots unless they are there, as where run and version were made at once."""
    with database.reading() as cursor:
        cursor.execute(HAS_EDGES, [run_id, roots_id])
        if cursor.fetchone()[0]:
            return
    from connectome.store.findings.edges import ensure_edges  # rarely needed, and needs SQLAlchemy

    ensure_edges(database, run_id, roots_id)
