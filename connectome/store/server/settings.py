"""The settings of the embedded server, from the machine's memory."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MB = 2**20
MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container
SETTINGS = """
# connectome: chosen for {memory_mb} MB of memory, of which builds need most; change them as you like
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_buffers}MB
effective_cache_size = {effective_cache_size}MB
work_mem = {work_mem}MB
maintenance_work_mem = {maintenance_work_mem}MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
wal_level = minimal
max_wal_senders = 0
"""
# name: a part of the memory, at least and at most so many MB
PARTS = {
    "shared_buffers": (8, 128, 8192),
    "effective_cache_size": (2, 512, 2**20),
    "work_mem": (512, 16, 128),
    "maintenance_work_mem": (32, 64, 1024),
}


def settings_for(memory_bytes: int) -> str:
    """Lines for postgresql.conf."""
    memory_mb = memory_bytes // MB
    values = {name: min(max(memory_mb // part, least), most) for name, (part, least, most) in PARTS.items()}
    return SETTINGS.format(memory_mb=memory_mb, **values)


def usable_memory() -> int:
    """Bytes of memory that this machine has, or the container that this process is in."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in MEMORY_LIMITS:
        with suppress(OSError, ValueError):  # no such limit: the file is absent or says "max"
            found = min(found, int(Path(path).read_text()))
    return found
