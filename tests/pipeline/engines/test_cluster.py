"""Blocks on dask workers: the same connectome whatever happens to workers, scheduler and database."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from small_world import SmallWorld, assert_same_rows, build, make_small_world

from connectome.errors import CheckpointError, ClusterError, ConfigError
from connectome.pipeline.build import build_volume
from connectome.pipeline.chosen import choose_parameters
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.run_stage import check_engine
from connectome.pipeline.engines.worker import BuildDescription
from connectome.pipeline.inputs import open_inputs
from connectome.pipeline.request import BuildRequest, read_request
from connectome.query.runs import describe_run
from connectome.records import NoProgress
from connectome.store.database import Database
from connectome.store.runs.runs import get_run
from connectome.store.server.embedded import EmbeddedServer

SMALL_BLOCKS = (8, 34, 30)
ONE_BLOCK = (40, 100, 90)


class Watch(NoProgress):
    """Calls somebody once a stage has done its first block."""

    def __init__(self, stage: str, call: Callable[[], None]) -> None:
        self._stage, self._call, self._now = stage, call, ""

    def start(self, name: str, total: int, done: int = 0, unit: str = "voxels") -> None:
        self._now = name

    def advance(self, amount: int) -> None:
        if self._now == self._stage:
            self._now = "over"
            self._call()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(world: SmallWorld, module_data_folder: Path) -> Any:
    """The rows and clefts of a build in one block, in this process."""
    return build(world.request(module_data_folder, name="whole", block_shape=ONE_BLOCK))[1:]


def assert_same(whole: Any, request: BuildRequest) -> None:
    """The finished run of a request equals the one of one block."""
    assert build_volume(request).already_finished
    _, rows, clefts = build(request)
    assert_same_rows(whole[0], rows)
    assert (clefts == whole[1]).all()


def worker_processes() -> list[psutil.Process]:
    """The processes of local workers, but not those that have just ended."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a zombie is one too
            found += [child] * ("spawn_main" in " ".join(child.cmdline()))
    return found


class KillNowAndThen(NoProgress):
    """Kills a worker, drawn at random, after 5 to 15 blocks each time; a block may lose four before it has failed."""

    def __init__(self, kills: int) -> None:
        self._random, self._left, self._blocks = random.Random(7), kills, 5
        self.killed: list[int] = []

    def advance(self, amount: int) -> None:
        self._blocks -= 1
        alive = worker_processes()
        if self._blocks <= 0 and self._left and alive:
            victim = self._random.choice(alive)
            victim.kill()
            self.killed.append(victim.pid)
            self._left, self._blocks = self._left - 1, self._random.randint(5, 15)


@pytest.mark.slow
def test_two_workers_one_of_which_is_killed_now_and_then_find_the_same_connectome(
    world: SmallWorld, module_data_folder: Path, whole: Any
) -> None:
    request = world.request(module_data_folder, name="killed", block_shape=SMALL_BLOCKS, workers=2)
    killer = KillNowAndThen(kills=3)
    build_volume(request, killer)
    assert len(set(killer.killed)) == 3
    assert_same(whole, request)
    assert worker_processes() == []
    with Database.open(None, module_data_folder) as database:
        workers = database.columns("SELECT DISTINCT worker FROM block JOIN run USING (run_id) WHERE name = 'killed'")
        assert len(workers["worker"]) >= 3  # this process and two workers at least
        assert describe_run(database, "killed").failed == []


@pytest.mark.slow
def test_ctrl_c_ends_leader_and_workers_quietly_and_one_process_finishes_what_they_began(
    world: SmallWorld, module_data_folder: Path, whole: Any
) -> None:
    command = [
        sys.executable,
        "-m",
        "connectome.cli",
        "build",
        "volume",
        "--image",
        world.image,
        "--segmentation",
        world.segmentation,
        "--detector",
        world.detector,
        "--assigner",
        world.assigner,
        "--threshold",
        "0.7",
        "--min-size",
        "20",
        "--block-shape",
        "4,20,20",
        "--workers",
        "2",
        "--name",
        "stopped",
        "--data-folder",
        module_data_folder,
    ]
    words = [str(word) for word in command]
    with subprocess.Popen(words, start_new_session=True, stderr=subprocess.PIPE, text=True) as leader:
        with Database.open(None, module_data_folder) as database:
            query = "SELECT count(*) AS n FROM block JOIN run USING (run_id) WHERE name = 'stopped'"
            while not database.columns(query)["n"][0]:
                assert leader.poll() is None, leader.stderr
                time.sleep(0.05)
        os.killpg(leader.pid, signal.SIGINT)  # as a terminal does
        _, told = leader.communicate(timeout=60)
    assert leader.returncode == 130
    assert told.splitlines()[-1] == "interrupted: what is finished is kept, the same command resumes"
    assert "Traceback" not in told
    with pytest.raises(ProcessLookupError):  # nobody is left, after a moment
        for _ in range(100):
            os.killpg(leader.pid, 0)
            time.sleep(0.1)
    request = world.request(module_data_folder, name="stopped", block_shape=(4, 20, 20))
    assert not build_volume(request).already_finished
    assert_same(whole, request)


@contextmanager
def killing(choose: Callable[[list[psutil.Process]], list[psutil.Process]], *, once: bool) -> Iterator[list[int]]:
    """Kills workers that are chosen among those that there are, from the first moment on; gives who was killed."""
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02) and not (once and killed):
            for victim in choose(worker_processes()):
                with suppress(psutil.NoSuchProcess):
                    victim.kill()
                    killed.append(victim.pid)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield killed
    finally:
        over.set()
        watching.join()


@pytest.mark.slow
def test_a_worker_that_is_killed_while_workers_begin_is_begun_again(
    world: SmallWorld, module_data_folder: Path, whole: Any
) -> None:
    for number, wait_s in enumerate((0.0, 1.5, 3.0)):
        request = world.request(module_data_folder, name=f"early-{number}", block_shape=SMALL_BLOCKS, workers=2)

        def first_of(alive: list[psutil.Process], wait_s: float = wait_s) -> list[psutil.Process]:
            if alive:
                time.sleep(wait_s)
            return alive[:1]

        with killing(first_of, once=True) as killed:
            build_volume(request)
        assert len(killed) == 1
        assert_same(whole, request)


def test_workers_that_all_die_as_often_as_they_are_begun_end_the_build_with_one_line(
    world: SmallWorld, module_data_folder: Path, whole: Any
) -> None:
    values: dict[str, Any] = {"name": "dying", "block_shape": ONE_BLOCK}
    with (
        killing(lambda alive: alive, once=False) as killed,
        pytest.raises(ClusterError, match="local workers are lost"),
    ):
        build_volume(world.request(module_data_folder, workers=1, **values))
    assert 1 < len(killed) < 20 and worker_processes() == []
    with Database.open(None, module_data_folder) as database:
        assert describe_run(database, "dying").state == "incomplete"
    build_volume(world.request(module_data_folder, **values))
    assert_same(whole, world.request(module_data_folder, **values))


@contextmanager
def scheduler(folder: Path, workers: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler with workers, all processes of their own; its address."""
    file = folder / "scheduler.json"
    run = [sys.executable, "-m", "distributed.cli.{}"]
    processes = [
        subprocess.Popen(
            [
                *run[:2],
                run[2].format("dask_scheduler"),
                "--scheduler-file",
                str(file),
                "--port",
                "0",
                "--no-dashboard",
                "--host",
                "127.0.0.1",
            ],
            stderr=subprocess.DEVNULL,
        ),
        *(
            subprocess.Popen(
                [
                    *run[:2],
                    run[2].format("dask_worker"),
                    "--scheduler-file",
                    str(file),
                    "--nthreads",
                    "1",
                    "--no-dashboard",
                    "--death-timeout",
                    "300",
                    "--local-directory",
                    str(folder),
                ],
                stderr=subprocess.DEVNULL,
            )
            for _ in range(workers)
        ),
    ]
    try:
        deadline = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert time.monotonic() < deadline, "no scheduler after a minute"
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], processes[0]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.mark.slow
def test_a_scheduler_that_is_killed_ends_the_build_with_one_line_and_another_one_finishes_it(
    world: SmallWorld, module_data_folder: Path, whole: Any, tmp_path: Path
) -> None:
    values: dict[str, Any] = {"name": "joined", "block_shape": SMALL_BLOCKS}
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with scheduler(tmp_path / "first", 1) as (address, process):
        request = world.request(module_data_folder, scheduler=address, **values)
        with pytest.raises(ClusterError, match=f"the scheduler at {address} is gone: the same command goes on"):
            build_volume(request, Watch("predict", process.kill))
    with Database.open(None, module_data_folder) as database:
        assert describe_run(database, "joined").state == "incomplete"
    with scheduler(tmp_path / "second", 1) as (address, _):
        build_volume(world.request(module_data_folder, scheduler=address, **values))
    assert_same(whole, world.request(module_data_folder, **values))


@pytest.mark.slow
def test_postgres_that_is_restarted_meanwhile_is_waited_for_by_the_leader_and_the_workers(
    world: SmallWorld, data_folder: Path, module_data_folder: Path, whole: Any
) -> None:
    server = EmbeddedServer(data_folder / "postgres")

    def restart() -> None:
        server.stop()
        threading.Timer(2.0, server.start).start()

    for name, changes in {"threads": {}, "workers": {"workers": 1}}.items():
        request = world.request(data_folder, name=name, block_shape=SMALL_BLOCKS, **changes)
        build_volume(request, Watch("label", restart))
        assert_same(whole, request)


def test_a_scheduler_that_is_not_there_is_told_in_one_line(
    world: SmallWorld, module_data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectome.pipeline.engines.cluster.CONNECT_S", 1)
    request = world.request(module_data_folder, name="nobody", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(ClusterError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:1"):
        build_volume(request)


def test_without_dask_the_error_says_what_to_install(world: SmallWorld, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path = [p for p in sys.path if p]\n"
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "PathFinder.find_spec = lambda name, *rest: None if name == 'distributed' else find(name, *rest)\n"
        "from connectome.pipeline.engines.run_stage import check_engine\n"
        "from connectome.pipeline.request import Execution\n"
        "check_engine(Execution())\n"
        "check_engine(Execution(workers=2))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'connectome-em[cluster]'" in done.stderr


def test_what_travels_shows_no_password_and_holds_absolute_paths(
    world: SmallWorld, module_data_folder: Path, monkeypatch: pytest.MonkeyPatch, whole: Any
) -> None:
    monkeypatch.chdir(world.folder)
    url = "postgresql://someone:secret@host/database"
    request = world.request(
        module_data_folder, image="raw.zarr", detector="./detector.safetensors", name="whole", database_url=url
    )
    inputs = open_inputs(request.volumes, request.models, request.execution.device)
    with Database.open(None, module_data_folder) as database:
        run = get_run(database, "whole")
    context = BuildContext(
        database=Database(url),
        run=run,
        inputs=inputs,
        parameters=choose_parameters(request, inputs),
        progress=NoProgress(),
    )
    description = BuildDescription.of(context, request)
    assert "secret" not in repr(description)
    assert description.request.volumes.image == f"file://{world.image}"
    assert description.request.models.detector == str(world.detector)
    assert description.open().inputs.box == inputs.box
    with pytest.raises(ClusterError, match=r"a worker has connectome .*, the build 0\.0: install the same on both"):
        replace(description, code_version="0.0").open()
    assert run.inputs is not None
    other = replace(run, inputs=replace(run.inputs, detector_sha256="0" * 64))
    with pytest.raises(CheckpointError, match="isn't the model that run 'whole' was begun with"):
        replace(description, run=other).open()


def test_workers_and_a_scheduler_are_not_asked_for_together() -> None:
    flags = {"image": "a", "segmentation": "b"}
    check_engine(read_request(None, flags).execution)
    with pytest.raises(ConfigError, match="exclude each other"):
        read_request(None, flags | {"workers": 2, "scheduler": "tcp://host:1"})
    with pytest.raises(ConfigError, match="workers 0 must be at least 1"):
        read_request(None, flags | {"workers": 0})
