from __future__ import annotations

import pytest

from connectome.store.server.postgres import settings_for, usable_memory

GB = 2**30


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (GB // 2, {"shared_buffers": "128MB", "work_mem": "16MB", "maintenance_work_mem": "64MB"}),
        (24 * GB, {"shared_buffers": "3072MB", "work_mem": "48MB", "effective_cache_size": "12288MB"}),
        (2048 * GB, {"shared_buffers": "8192MB", "work_mem": "128MB", "maintenance_work_mem": "1024MB"}),
    ],
)
def test_the_server_takes_a_part_of_the_memory_within_bounds(memory: int, expected: dict[str, str]) -> None:
    lines = dict(line.split(" = ") for line in settings_for(memory).splitlines() if " = " in line)
    assert {name: lines[name] for name in expected} == expected
    assert lines["listen_addresses"] == "''"


def test_the_memory_of_this_machine_is_known() -> None:
    assert GB // 4 < usable_memory() < 2**50
