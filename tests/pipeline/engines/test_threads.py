"""The engine of one process, with blocks that do what a test says: overlap, bounds, retries, what is recorded."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from small_world import SmallWorld, make_small_world
from stub_stage import stub_context, stub_stage
from tables import commit_block

from connectome.errors import IncompleteRunError, StorageError
from connectome.pipeline.context import BuildContext
from connectome.pipeline.engines.run_stage import FAILED_IN_A_ROW, run_stage
from connectome.pipeline.engines.threads import ThreadEngine
from connectome.pipeline.stages.stage import Computed
from connectome.store.database import Database
from connectome.store.runs.blocks import BlockTransaction, Stage, done_blocks, failed_blocks, stage_progress


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    return make_small_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def context(world: SmallWorld, database: Database) -> Iterator[BuildContext]:
    with stub_context(world, database) as context:
        yield context


def test_every_block_is_done_once_and_those_that_were_done_are_left_alone(context: BuildContext) -> None:
    commit_block(context.database, context.run.run_id, Stage.PREDICT, 5, voxels=10)
    computed: Counter[int] = Counter()

    def work(block_id: int) -> Computed:
        computed[block_id] += 1
        return Computed()

    run_stage(stub_stage(context, 500, work), ThreadEngine())
    assert computed == Counter([n for n in range(500) if n != 5])
    (progress,) = stage_progress(context.database, context.run.run_id)
    assert (progress.blocks, progress.done, progress.failed, progress.done_voxels) == (500, 500, 0, 5000)


def test_a_block_that_fails_is_tried_again_and_the_others_go_on(context: BuildContext) -> None:
    tries: Counter[int] = Counter()

    def work(block_id: int) -> Computed:
        tries[block_id] += 1
        if block_id == 3 and tries[3] < 3:
            raise StorageError("the disk\nhiccups")
        if block_id == 7:
            raise ZeroDivisionError("seven")
        return Computed()

    with pytest.raises(IncompleteRunError) as caught:
        run_stage(stub_stage(context, 40, work), ThreadEngine())
    assert "1 of 40 blocks of stage predict failed (block 7: ZeroDivisionError: seven (test_threads.py" in str(
        caught.value
    )
    assert "connectome runs show stub" in str(caught.value)
    assert done_blocks(context.database, context.run.run_id, Stage.PREDICT) == set(range(40)) - {7}
    (failed,) = failed_blocks(context.database, context.run.run_id, 10)
    assert (failed.block_id, failed.attempts, tries[7], tries[3], tries[0]) == (7, 3, 3, 3, 1)
    assert failed.error.startswith("ZeroDivisionError: seven") and failed.worker is not None

    run_stage(stub_stage(context, 40, lambda block_id: Computed()), ThreadEngine())
    assert failed_blocks(context.database, context.run.run_id, 10) == []
    assert len(done_blocks(context.database, context.run.run_id, Stage.PREDICT)) == 40


def test_rows_that_are_refused_fail_their_own_block_alone(context: BuildContext) -> None:
    def work(block_id: int) -> Computed:
        def write(transaction: BlockTransaction) -> None:
            value = "1 / 0" if block_id == 11 else "1"
            transaction.connection.exec_driver_sql(f"SELECT {value}")

        return Computed(write_rows=write)

    with pytest.raises(IncompleteRunError, match="block 11: the database refused: division by zero"):
        run_stage(stub_stage(context, 30, work), ThreadEngine())
    assert done_blocks(context.database, context.run.run_id, Stage.PREDICT) == set(range(30)) - {11}


def test_a_stage_ends_early_where_everything_fails(context: BuildContext) -> None:
    tries: Counter[int] = Counter()

    def work(block_id: int) -> Computed:
        tries[block_id] += 1
        raise StorageError("No space left on device")

    with pytest.raises(IncompleteRunError, match="failed in a row, so the rest wasn't tried"):
        run_stage(stub_stage(context, 10_000, work), ThreadEngine())
    assert FAILED_IN_A_ROW <= tries.total() < 200


def test_one_network_call_at_a_time_while_others_read_and_few_blocks_are_in_flight(context: BuildContext) -> None:
    lock = threading.Lock()
    now, most = Counter[str](), Counter[str]()

    def change(what: str, by: int) -> None:
        with lock:
            now[what] += by
            most[what] = max(most[what], now[what])

    def work(block_id: int) -> Computed:
        change("blocks", 1)
        time.sleep(0.02)
        with context.network.held():
            change("network", 1)
            time.sleep(0.02)
            change("network", -1)
        return Computed(write_rows=lambda transaction: change("blocks", -1))

    run_stage(stub_stage(context, 30, work, network=True), ThreadEngine())
    assert most["network"] == 1
    assert 2 <= most["blocks"] <= 20


def test_ctrl_c_ends_the_threads_at_their_next_network_call(context: BuildContext) -> None:
    began, main = threading.Event(), threading.get_ident()

    def work(block_id: int) -> Computed:
        for _ in range(1000):
            with context.network.held():
                began.set()
                time.sleep(0.01)
        return Computed()

    def press_ctrl_c() -> None:
        began.wait()
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=press_ctrl_c).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_stage(stub_stage(context, 30, work, network=True), ThreadEngine())
    assert time.monotonic() - started < 8  # 1,000 calls of each of the three blocks would take 30 seconds
    for thread in threading.enumerate():  # one that was just being started isn't waited for by the pool
        if thread.name.startswith("predict"):
            thread.join(2)
            assert not thread.is_alive()
    assert done_blocks(context.database, context.run.run_id, Stage.PREDICT) == set()
