"""Rows as older revisions of the schema held them: what upgrades have to keep."""

from __future__ import annotations

LARGE = 9_223_372_036_854_775_807
GRID = "'/x.zarr', 'uint8', 10, 20, 30, 30, 12, 12, 0, 1.5, 0"
RUN = f"""
INSERT INTO volume (role, url, dtype, shape_z, shape_y, shape_x, resolution_z_nm, resolution_y_nm, resolution_x_nm,
                    offset_z_nm, offset_y_nm, offset_x_nm)
VALUES ('image', {GRID}), ('segmentation', {GRID});
INSERT INTO model (role, name, sha256, config)
VALUES ('detector', 'd', 'aa', '{{"a": 1}}'), ('assigner', 'a', 'bb', '{{}}');
INSERT INTO run (name, state, image_volume_id, segmentation_volume_id, detector_model_id, assigner_model_id, parameters,
                 box_start_z, box_start_y, box_start_x, box_stop_z, box_stop_y, box_stop_x, folder, code_version,
                 finished_at)
SELECT name, state, 1, 2, 1, 2, '{{"threshold": 153}}', 0, 1, 2, 10, 20, 30, '/runs/' || name, '0.1.0', finished_at
FROM (VALUES ('first', 'finished', now()), ('second', 'running', NULL)) AS made (name, state, finished_at);
INSERT INTO block (run_id, stage, block_id, voxels, seconds, faces)
SELECT run_id, stage, 0, 6000, 0.5, '\\x0102' FROM run, unnest(ARRAY['predict', 'label', 'assign']) AS stage;
"""
CLEFTS = f"""
INSERT INTO fragment (run_id, block_id, fragment_id, size_voxels, sum_z, sum_y, sum_x, start_z, start_y, start_x,
                      stop_z, stop_y, stop_x, score_sum, score_max)
SELECT run_id, 0, n, 200, 1, 2, 3, 0, 0, 0, 5, 5, 5, 400, 255 FROM run, generate_series(1, 5) AS n;
INSERT INTO fragment_cleft (run_id, fragment_id, cleft_id) SELECT run_id, 5, 0 FROM run;
INSERT INTO cleft (run_id, cleft_id, block_id, size_voxels, x_nm, y_nm, z_nm, start_x_nm, start_y_nm, start_z_nm,
                   stop_x_nm, stop_y_nm, stop_z_nm, centre_z, centre_y, centre_x, mean_score, max_score, state)
SELECT run_id, n, 0, 100 * n, 1.5 * n, 2.5 * n, 3.5 * n, 0, 0, 0, 60, 60, 60, 1, 2, 3, 0.5, 1, 'assigned'
FROM run, generate_series(1, 4) AS n;
INSERT INTO candidate (run_id, cleft_id, segment_id, role, score, contact_voxels)
SELECT run_id, n, segment, role, 0.25, 7
FROM run, generate_series(1, 4) AS n, unnest(ARRAY[7, {LARGE}]) AS segment, unnest(ARRAY['pre', 'post']) AS role;
INSERT INTO synapse (run_id, cleft_id, pre_segment_id, post_segment_id, pre_score, post_score, confidence,
                     pre_x_nm, pre_y_nm, pre_z_nm, post_x_nm, post_y_nm, post_z_nm)
SELECT run_id, n, {LARGE}, 7 + n / 4, 0.9, 0.8, 0.25 * n, 1, 2, 3, 4, 5, 6 FROM run, generate_series(1, 4) AS n;
"""
DUPLICATES = "INSERT INTO duplicate (run_id, cleft_id, kept_cleft_id, distance_nm) SELECT run_id, 2, 1, 60.5 FROM run;"
PARTITIONS = "SELECT {}_partitions(run_id, partitioned_tables()) FROM run;"
EDGES = f"""
INSERT INTO edge (run_id, pre_segment_id, post_segment_id, synapse_count, size_voxels, mean_confidence)
VALUES (1, {LARGE}, 7, 3, 600, 0.5), (1, {LARGE}, 8, 1, 400, 1);
"""
ROOTS = f"""
INSERT INTO roots (name, source) VALUES ('v1', '/roots.csv');
INSERT INTO root (roots_id, segment_id, root_id) SELECT roots_id, 7, {LARGE} FROM roots WHERE name = 'v1';
INSERT INTO annotation (roots_id, neuron_id, label, value) VALUES (0, 7, 'type', 'T4');
INSERT INTO root_refresh (run_id, roots_id) SELECT 1, roots_id FROM roots WHERE name = 'v1';
INSERT INTO synapse_root (run_id, roots_id, cleft_id, number, pre_root_id, post_root_id)
SELECT 1, roots_id, 2, 0, 5, 6 FROM roots WHERE name = 'v1';
INSERT INTO root_edge (run_id, roots_id, pre_root_id, post_root_id, synapse_count, size_voxels, mean_confidence)
SELECT 1, roots_id, 5, 6, 1, 200, 0.5 FROM roots WHERE name = 'v1';
"""
METHODS = RUN.replace("sha256, config)", "sha256, config, method)").replace("'{}')", "'{}', 'avan')")
METHODS = METHODS.replace("""1}')""", """1}', 'mask')""")
KINDS = METHODS.replace("INSERT INTO run (name,", "INSERT INTO run (kind, name,").replace(
    "SELECT name,", "SELECT 'build', name,"
)
PARTED = KINDS + PARTITIONS.format("stage") + PARTITIONS.format("attach") + CLEFTS + DUPLICATES
ROWS_OF_REVISION = {
    "0001": RUN,
    "0002": RUN + CLEFTS,
    "0003": RUN + CLEFTS,
    "0004": METHODS + CLEFTS + DUPLICATES,
    "0005": KINDS + CLEFTS + DUPLICATES,
    "0006": PARTED,
    "0007": PARTED + EDGES,
    **dict.fromkeys(("0008", "0009", "0010", "0011", "0012"), PARTED + EDGES + ROOTS),
}
