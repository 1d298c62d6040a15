"""The same tasks on local processes or on a Dask cluster, by joblib.

A task is a pure function of its arguments with a key of its own, so that it may run
anywhere, and twice: a lost worker costs another try of what it was at, not the run.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pmo_analytics.errors import ConfigError, PmoError
from pmo_analytics.processes.lifetime import begin_worker, deaf_children, safe_children
from pmo_analytics.processes.stopping import note_stop, stop_asked

# How often a task is given to another worker after the one that had it was lost.
RETRIES = 2
# How often a cluster is looked at, and how long it may be without workers: after some
# were there, and before. Seconds.
_LOOK, _AGAIN, _FIRST = 2.0, 20.0, 120.0


@dataclass(frozen=True)
class Outcome:
    """What became of one task.

    Attributes
    ----------
    value
        What the function returned, None where it failed.
    error
        What it raised, or that its workers were lost time and again; else None.
    tries
        How often it was started.
    seconds
        Wall clock on the worker.
    """

    value: Any
    error: BaseException | None = None
    tries: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Work:
    """Where tasks run.

    Parameters
    ----------
    workers
        Local processes; 1 = in this process, None = those of a
        `joblib.parallel_config` block around the call, or one per core.
    cluster
        Address of a Dask scheduler such as `tcp://10.0.0.5:8786`; "" = local.
    retries
        Further tries of a task whose worker was lost.
    """

    workers: int | None = None
    cluster: str = ""
    retries: int = RETRIES

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ConfigError(f"workers must be at least 1, not {self.workers!r}.")
        if self.retries < 0:
            raise ConfigError(f"retries must be 0 or more, not {self.retries!r}.")


def cores() -> int:
    """Return how many cores this process may use."""
    seen = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        seen = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):
        # A container may be given less than the cores it sees.
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        seen = min(seen, max(int(int(quota) / int(period)), 1))
    return seen


def run_tasks(
    function: Callable[..., Any],
    tasks: Mapping[str, Mapping[str, Any]],
    *,
    work: Work | None = None,
    on_done: Callable[[str, Outcome], None] | None = None,
) -> dict[str, Outcome]:
    """Run one function over many arguments and return what became of each.

    Parameters
    ----------
    function
        Of a module that workers can import; called with the arguments by name.
    tasks
        Key -> arguments.
    work
        Where; default local processes, one per core.
    on_done
        Called here with key and outcome of each task as it ends, in any order.

    Returns
    -------
    dict
        Key -> outcome in the order of `tasks`. After Ctrl-C only those that had
        ended are in it.

    Raises
    ------
    ConfigError
        If the cluster cannot be reached, or the extra `cluster` is not installed.
    """
    work = work or Work()
    done: dict[str, Outcome] = {}
    tries = dict.fromkeys(tasks, 0)

    def take(key: str, outcome: Outcome) -> None:
        done[key] = outcome
        if on_done is not None:
            on_done(key, outcome)

    def send(place: _Place, part: list[str]) -> BaseException | None:
        for key in part:
            tries[key] += 1
        fresh = all(tries[key] == 1 for key in part)
        there = partial(_placed_in, os.getpid(), fresh, function)
        return _run(place, there, {key: tasks[key] for key in part}, take)

    with _placed(work, len(tasks)) as place, _noted():
        while left := [key for key in tasks if key not in done]:
            if stop_asked():
                break
            # Whoever loses workers takes others down with it: at last each goes alone.
            last = max(tries[key] for key in left) >= work.retries > 0
            parts = [[key] for key in left] if last else [left]
            lost = [send(place, part) for part in parts][-1]
            for key in left:
                if key not in done and isinstance(lost, _DesertedError):
                    take(key, Outcome(None, PmoError(str(lost))))
                elif key not in done and tries[key] > work.retries:
                    take(key, Outcome(None, _lost(key, tries[key], lost)))
    return {key: replace(done[key], tries=tries[key]) for key in tasks if key in done}


@contextlib.contextmanager
def _noted() -> Iterator[None]:
    """Let Ctrl-C end the block, and what comes after it."""
    try:
        yield
    except KeyboardInterrupt:
        note_stop()


# Whether the process may die without more harm than a retry.
_expendable: ContextVar[bool] = ContextVar("expendable", default=False)


def expendable() -> bool:
    """Return whether this is a worker, at a task for the first time.

    Such a process may do itself what otherwise is better left to a child: should it
    die, the task is tried again, and then it is not.
    """
    return _expendable.get()


def _placed_in(
    asker: int, fresh: bool, function: Callable[..., Any], **arguments: Any
) -> Any:
    """Run a function, and let it know whether that is in the asker's process."""
    token = _expendable.set(fresh and os.getpid() != asker)
    try:
        return function(**arguments)
    finally:
        _expendable.reset(token)


# Runs a function over tasks and hands back each answer as it comes.
_Place = Callable[[Callable[..., Any], Mapping[str, Mapping[str, Any]]], Iterator[Any]]


def _run(
    place: _Place,
    function: Callable[..., Any],
    tasks: Mapping[str, Mapping[str, Any]],
    take: Callable[[str, Outcome], None],
) -> BaseException | None:
    """Run tasks once; return the error that lost some of them, if any did."""
    try:
        for key, value, error, seconds in place(function, tasks):
            take(key, Outcome(value, error, seconds=seconds))
    except _DesertedError as error:
        return error
    except _LostError as error:
        return error.__cause__
    return None


class _LostError(Exception):
    """Workers died with tasks that they were at; the cause says how."""


class _DesertedError(Exception):
    """A cluster has no workers, and has had none for long."""


def _guarded(
    function: Callable[..., Any], key: str, arguments: Mapping[str, Any]
) -> tuple[str, Any, Exception | None, float]:
    """Run one task where it is; an error of its own is an answer, not a failure."""
    begin = time.monotonic()
    try:
        value, error = function(**arguments), None
    except Exception as raised:  # whatever it is, the other tasks go on
        value, error = None, raised
    return key, value, error, time.monotonic() - begin


def _lost(key: str, tries: int, cause: BaseException | None) -> PmoError:
    return PmoError(
        f"'{key}' was lost with its worker {tries} times"
        f"{'' if cause is None else f' ({type(cause).__name__}: {cause})'}. Start it "
        "again with fewer workers, or with more memory for each."
    )


@contextlib.contextmanager
def _placed(work: Work, count: int) -> Iterator[_Place]:
    """Yield the place where tasks run."""
    from joblib.parallel import get_active_backend

    backend, configured = get_active_backend()
    if work.cluster:
        with _client(work.cluster) as client:
            yield partial(_on_dask, client, work.retries)
    elif type(backend).__name__ == "DaskDistributedBackend":
        yield partial(_on_dask, backend.client, work.retries)
    else:
        workers = work.workers
        if workers is None:
            workers = configured if configured not in (None, 1) else cores()
        yield _here if workers == 1 or count == 1 else partial(_on_processes, workers)


def _here(
    function: Callable[..., Any], tasks: Mapping[str, Mapping[str, Any]]
) -> Iterator[Any]:
    for key, arguments in tasks.items():
        if stop_asked():
            return
        yield _guarded(function, key, arguments)


def _on_processes(
    workers: int,
    function: Callable[..., Any],
    tasks: Mapping[str, Mapping[str, Any]],
) -> Iterator[Any]:
    import multiprocessing.resource_tracker
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.backend import resource_tracker

    jobs = [delayed(_guarded)(function, key, task) for key, task in tasks.items()]
    stays = threading.current_thread() is threading.main_thread()
    # Numerical libraries in a worker keep to one thread: the processes are the cores.
    place = parallel_config(
        inner_max_num_threads=1,
        backend="loky",
        initializer=begin_worker,
        initargs=(os.getpid(), stays),
    )
    with place, safe_children():
        parallel = Parallel(
            n_jobs=workers, batch_size=1, return_as="generator_unordered"
        )
        # Whoever starts one of these helpers opens the ears again of what comes after.
        resource_tracker.ensure_running()
        if os.name == "posix":  # elsewhere there is none
            multiprocessing.resource_tracker.ensure_running()
        try:
            with deaf_children():
                answers = parallel(jobs)
            yield from answers
        except BrokenProcessPool as error:
            raise _LostError from error
        except (KeyboardInterrupt, GeneratorExit):
            _end_workers()
            raise


def _end_workers() -> None:
    """End the local processes, whatever they are at."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _on_dask(
    client: Any,
    retries: int,
    function: Callable[..., Any],
    tasks: Mapping[str, Mapping[str, Any]],
) -> Iterator[Any]:
    """Run tasks on a cluster.

    Given to the scheduler one by one: joblib's own way hands back no answer before
    the last one is there, and a lost task would take the finished ones with it.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker, wait

    futures = [
        client.submit(_guarded, function, key, task, retries=retries, pure=False)
        for key, task in tasks.items()
    ]
    failed: BaseException | None = None
    pending, watch = set(futures), _Watch(client)
    try:
        while pending:
            try:
                with client.as_current():
                    ended, pending = wait(pending, _LOOK, "FIRST_COMPLETED")
            except TimeoutError:
                watch.look(len(pending))
                continue
            except CancelledError as error:  # the scheduler has let go of them
                failed = error
                break
            for future in ended:
                try:
                    answer = future.result(timeout=_AGAIN)
                except TimeoutError:  # its worker is gone, and the answer with it
                    pending.add(future)
                    watch.look(len(pending))
                except (KilledWorker, CancelledError, OSError) as error:
                    failed = error
                else:
                    yield answer
    finally:
        client.cancel(futures)
    if failed is not None:
        raise _LostError from failed


class _Watch:
    """Sees whether a cluster still has workers."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.since = time.monotonic()
        self.seen = False

    def look(self, left: int) -> None:
        """Give up where nobody has been there for too long.

        Workers that are started by the tasks themselves take longer to come than ones
        that are started again.
        """
        now = time.monotonic()
        if self.client.scheduler_info()["workers"]:
            self.since, self.seen = now, True
            return
        if now - self.since > (_AGAIN if self.seen else _FIRST):
            address = self.client.scheduler.address
            raise _DesertedError(
                f"The Dask cluster at {address} has no workers{' left' * self.seen}: "
                f"{left} tasks were not done. Start workers with 'dask worker "
                f"{address}' and run it again."
            )


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    """Yield a client of a Dask scheduler."""
    try:
        from distributed import Client
        from distributed.comm.addressing import parse_host_port
    except ImportError as error:
        raise ConfigError(
            "A Dask cluster needs the extra 'cluster': install pmo_analytics[cluster]."
        ) from error
    try:
        # A client that finds nobody lingers; a plain connection says so at once.
        with socket.create_connection(parse_host_port(address), timeout=10):
            pass
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"No Dask scheduler answers at {address}: start one with 'dask scheduler' "
            "and workers with 'dask worker', and use the address that it prints."
        ) from error
    try:
        yield client
    finally:
        client.close()
