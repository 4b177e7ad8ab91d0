"""A Dask cluster as the crew of a campaign: jobs run on workers of other machines.

A job whose worker dies is given to another by the scheduler; only when the scheduler gives up on it
(``KilledWorker``) is it started again here, a few times. A canary is planted in a whole process,
so a worker has one thread.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from watosfs_fuzz.crew import Job, begin_again

#: Seconds to wait for a scheduler.
CONNECT_SECONDS = 10


class Cluster:
    """The workers of the scheduler at ``address``, as many as there are when it begins.

    Raises ValueError when ``distributed`` is not installed, when nobody answers there, when there
    are no workers, and when one has more than one thread.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client, Event
        except ImportError as error:
            reason = "a cluster needs the extra: pip install 'watosfs[distributed]'"
            raise ValueError(reason) from error
        try:
            self.client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"no Dask scheduler at {address}: {error}") from error
        threads = self.client.nthreads()
        try:
            if not threads:
                raise ValueError(
                    f"the scheduler at {address} has no workers: dask worker {address}"
                )
            if max(threads.values()) > 1:
                raise ValueError("a worker has several threads: dask worker --nthreads 1")
        except ValueError:
            self.client.close()
            raise
        self.width, self.ahead = len(threads), 4
        self.is_stopped = False
        self.name = f"watosfs-stop-{uuid4().hex}"
        self.asked = Event(self.name, client=self.client)

    def start(self, work: Callable[..., Any], *arguments: Any) -> Job:
        future = self.client.submit(work_on_worker, self.name, work, *arguments, pure=False)
        return Job(work, arguments, future)

    def wait(self, jobs: Sequence[Job]) -> None:
        from distributed import wait

        if self.is_stopped:
            self.asked.set()
        with self.client.as_current(), suppress(TimeoutError):
            wait([job.future for job in jobs], timeout=0.5, return_when="FIRST_COMPLETED")

    def lost(self, job: Job) -> bool:
        from distributed import KilledWorker

        if job.future.cancelled() or not isinstance(job.future.exception(), KilledWorker):
            return False
        begin_again(self, job)
        return True

    def stop(self) -> None:
        self.is_stopped = True

    def close(self) -> None:
        self.client.close()


def work_on_worker(name: str, work: Callable[..., Any], *arguments: Any) -> Any:
    """A job on a worker, which looks for the campaign's flag between traces."""
    from distributed import Event, get_client

    asked = Event(name, client=get_client())
    return work(*arguments, asked.is_set)
