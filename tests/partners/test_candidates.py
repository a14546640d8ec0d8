"""Segments near a cleft."""

from __future__ import annotations

import numpy as np

from connectome.partners.candidates import dilation_shape, find_candidates


def test_the_dilation_is_a_diamond_in_nm_over_three_sections() -> None:
    shape = dilation_shape(40.0, (40.0, 8.0, 8.0))
    assert shape.shape == (3, 11, 11)
    assert shape[1].sum() == 61  # a diamond of radius 5
    assert dilation_shape(1.0, (30.0, 12.0, 12.0)).shape == (3, 3, 3)


def test_only_segments_under_the_dilated_cleft_are_candidates() -> None:
    segmentation = np.zeros((5, 20, 20), np.uint64)
    segmentation[:, :9] = 7
    segmentation[:, 11:] = 2**63 - 1
    segmentation[4] = 5  # two sections away
    mask = np.zeros(segmentation.shape, bool)
    mask[2, 9:11, 5:15] = True
    found = find_candidates(segmentation, mask, dilation_shape(24.0, (30.0, 12.0, 12.0)))
    assert found.segment_id.tolist() == [7, 2**63 - 1]
    for point, segment in zip(found.contact_point, found.segment_id, strict=True):
        assert segmentation[tuple(point)] == segment
    assert (found.contact_voxels > 0).all()
    assert found.contact_point[0].tolist() == [2, 8, 9]


def test_background_and_an_empty_mask_give_no_candidates() -> None:
    shape = dilation_shape(24.0, (30.0, 12.0, 12.0))
    nothing = np.zeros((3, 8, 8), np.uint64)
    mask = np.ones((3, 8, 8), bool)
    assert len(find_candidates(nothing, mask, shape).segment_id) == 0
    assert len(find_candidates(nothing + 1, ~mask, shape).segment_id) == 0
