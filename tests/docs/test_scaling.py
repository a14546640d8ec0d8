"""The SLURM example of docs/scaling.md: its job script is generated, checked, and run without SLURM."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


@pytest.fixture(autouse=True)
def signals_stay_as_they_are() -> Iterator[None]:
    """dask_jobqueue makes Ctrl-C exit when it is imported; other tests want it as it was."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.slow
def test_the_job_script_of_the_slurm_example_starts_a_worker_with_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(example, str(PAGE), "exec"), names)
    cluster = names["cluster"]
    try:
        script = cluster.job_script()
        for line in ("-p gpu", "-A lab", "-t 12:00:00", "--cpus-per-task=4", "--mem=30G", "--gres=gpu:1", "-n 1"):
            assert f"#SBATCH {line}\n" in script, script
        assert "--nthreads 4" in script and "--resources GPU=1" in script and "--nworkers" not in script
        assert f"--scheduler {cluster.scheduler_address}" in capsys.readouterr().out
        (tmp_path / "job.sh").write_text(script)
        with subprocess.Popen(["bash", "job.sh"], stderr=subprocess.DEVNULL) as job, Client(cluster) as client:
            client.wait_for_workers(1, timeout=120)
            (worker,) = client.scheduler_info(n_workers=-1)["workers"].values()
            assert worker["resources"] == {"GPU": 1.0} and worker["nthreads"] == 4
            client.retire_workers(close_workers=True)
            assert job.wait(60) == 0
    finally:
        cluster.close()
