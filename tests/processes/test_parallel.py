"""Tasks on local processes and on a Dask cluster: answers, failures, lost workers."""

from __future__ import annotations

import os

import pytest

from pmo_analytics.errors import ConfigError, PmoError
from pmo_analytics.processes import parallel
from pmo_analytics.processes.parallel import Work, cores, run_tasks
from tests.support import clusters
from tests.support.fresh_process import assert_runs
from tests.support.tasks import interrupt, says_where, square, square_or_die

NUMBERS = {str(x): {"x": x} for x in range(6)}
needs_dask = pytest.mark.skipif(bool(clusters.missing()), reason=clusters.missing())


def values(outcomes):
    return {key: outcome.value for key, outcome in outcomes.items()}


@pytest.fixture(scope="module")
def dask():
    with clusters.cluster() as started:
        yield started


@pytest.fixture(params=["here", "processes", "dask"])
def work(request):
    if request.param == "dask":
        if clusters.missing():
            pytest.skip(clusters.missing())
        return Work(cluster=request.getfixturevalue("dask").address)
    return Work(workers=1 if request.param == "here" else 2)


def test_every_place_gives_the_same_answers_in_the_order_of_the_tasks(work):
    told = []
    outcomes = run_tasks(
        square, NUMBERS, work=work, on_done=lambda key, _outcome: told.append(key)
    )
    assert list(outcomes) == list(NUMBERS)
    expected = {str(x): x * x for x in range(6)} | {"3": None}
    assert values(outcomes) == expected
    assert sorted(told) == sorted(NUMBERS)
    assert isinstance(outcomes["3"].error, ValueError)
    assert outcomes["3"].tries == 1, "an error of the task's own is an answer"


def test_a_killed_process_costs_a_try_and_not_the_run(tmp_path):
    flag = str(tmp_path / "died")
    tasks = {str(x): {"x": x, "flag": flag if x == 2 else ""} for x in range(5)}
    outcomes = run_tasks(square_or_die, tasks, work=Work(workers=2))
    assert values(outcomes) == {str(x): x * x for x in range(5)}
    assert outcomes["2"].tries == 2


def test_only_workers_may_die_and_a_task_that_lost_one_is_told_so(tmp_path):
    here = run_tasks(says_where, {"1": {"x": 1}}, work=Work(workers=1))
    assert values(here) == {"1": (1, False)}
    tasks = {"1": {"x": 1, "flag": str(tmp_path / "died")}, "2": {"x": 2}}
    outcomes = run_tasks(says_where, tasks, work=Work(workers=2))
    assert outcomes["1"].tries == 2
    assert outcomes["1"].value == (1, False)
    assert outcomes["2"].value == (2, outcomes["2"].tries == 1)


def test_a_task_that_always_kills_its_process_is_the_only_one_lost():
    tasks = {str(x): {"x": x, "flag": "always" if x == 1 else ""} for x in range(4)}
    outcomes = run_tasks(square_or_die, tasks, work=Work(workers=2, retries=1))
    assert values(outcomes) == {"0": 0, "1": None, "2": 4, "3": 9}
    assert isinstance(outcomes["1"].error, PmoError)
    assert "lost with its worker" in str(outcomes["1"].error)


@needs_dask
def test_a_killed_worker_of_a_cluster_costs_a_try_and_not_the_run(tmp_path):
    flag = str(tmp_path / "died")
    tasks = {str(x): {"x": x, "flag": flag if x == 2 else ""} for x in range(6)}
    with clusters.cluster() as started:
        outcomes = run_tasks(square_or_die, tasks, work=Work(cluster=started.address))
        dead = [worker for worker in started.workers if worker.poll() is not None]
    assert values(outcomes) == {str(x): x * x for x in range(6)}
    assert len(dead) == 1


@needs_dask
def test_a_cluster_without_workers_is_said_and_not_waited_for(monkeypatch):
    """Those that were there are killed by their tasks."""
    for name in ("_LOOK", "_AGAIN", "_FIRST"):
        monkeypatch.setattr(parallel, name, 0.5)
    tasks = {str(x): {"x": x, "flag": "always" if x else ""} for x in range(5)}
    with clusters.cluster() as started:
        outcomes = run_tasks(square_or_die, tasks, work=Work(cluster=started.address))
    assert list(outcomes) == list(tasks)
    for key, outcome in outcomes.items():
        if outcome.error is None:
            assert (key, outcome.value) == ("0", 0)
        else:
            assert "has no workers" in str(outcome.error)
    assert outcomes["4"].error is not None


@needs_dask
def test_a_parallel_config_block_around_the_call_is_used(dask):
    from distributed import Client
    from joblib import parallel_config

    with (
        Client(dask.address, set_as_default=False) as client,
        parallel_config(backend="dask", client=client),
    ):
        outcomes = run_tasks(square, NUMBERS)
    assert values(outcomes)["5"] == 25


@pytest.mark.skipif(os.name != "posix", reason="signals of processes")
def test_workers_are_deaf_to_stops_while_they_are_loading():
    # In a process that has no helpers yet: to start those changes what is heard.
    assert_runs(
        "from pmo_analytics.processes.parallel import Work, run_tasks\n"
        "from tests.support.tasks import deaf_from_birth\n"
        "tasks = {str(x): {'x': x} for x in range(2)}\n"
        "done = run_tasks(deaf_from_birth, tasks, work=Work(workers=2))\n"
        "heard = [{'SIGINT', 'SIGTERM'} - {*d.value} for d in done.values()]\n"
        "assert heard == [set(), set()], heard\n"
    )


def test_ctrl_c_keeps_what_had_ended():
    tasks = {str(x): {"x": x} for x in range(4)}
    assert values(run_tasks(interrupt, tasks, work=Work(workers=1))) == {"0": 0, "1": 1}


def test_unusable_places_are_refused():
    with pytest.raises(ConfigError, match="workers must be at least 1"):
        Work(workers=0)
    with pytest.raises(ConfigError, match="retries must be 0 or more"):
        Work(retries=-1)
    assert cores() >= 1


@needs_dask
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense"])
def test_a_cluster_that_nobody_answers_for_is_named(address):
    with pytest.raises(ConfigError, match="No Dask scheduler answers at"):
        run_tasks(square, NUMBERS, work=Work(cluster=address))
