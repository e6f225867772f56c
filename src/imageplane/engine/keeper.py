"""The thread that keeps one engine alive and busy, and what the keepers of a pool share."""

import contextlib
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Final

from imageplane.engine.culprits import Culprits
from imageplane.engine.deaths import DEADLINE, Died
from imageplane.engine.job import Job, Turn
from imageplane.engine.line import Line
from imageplane.engine.parcel import Parcel, packed
from imageplane.engine.process import Engine, Untouched
from imageplane.engine.tally import Counts
from imageplane.engine.terms import Terms
from imageplane.engine.wire import Answer, Order
from imageplane.errors import Busy, DeadlineExceeded, EngineCrashed, ImageplaneError, InternalError

# How much longer than its deadline an engine lives, so that one that notices in time need not die for it.
_GRACE_IN_S: Final = 0.25
# How often work is given to another engine when one dies of something else: who kills engines at random, every second,
# shall not stop work of two seconds.
_ATTEMPTS: Final = 20
# How often an engine is started anew that is killed before it is ready.
_STARTS: Final = 20
_PAUSE_IN_S: Final = 5.0
_WORTH_A_START_IN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all keepers of a pool share: the rules, the work that waits, and what is known of the past."""

    terms: Terms
    deadline_in_s: float
    recycle_after: int
    line: Line
    closing: threading.Event = field(default_factory=threading.Event)
    confinement: Future[str] = field(default_factory=Future)
    culprits: Culprits = field(default_factory=Culprits)
    counts: Counts = field(default_factory=Counts)


class Keeper(threading.Thread):
    """The thread that keeps one engine: it takes one job at a time, and starts the next engine after a death."""

    def __init__(self, shop: Workshop) -> None:
        super().__init__(name="imageplane-engine-keeper", daemon=True)
        self.engine: Engine | None = None
        self._shop = shop
        self._done = 0

    def run(self) -> None:
        while not self._shop.closing.is_set():
            # Only a keeper with a ready engine takes a job; while this one starts anew, the others go on.
            self._make_ready()
            turn = self._shop.line.take()
            if turn is not None:
                self._finish([job for job in turn.jobs if job.future.set_running_or_notify_cancel()])
                self._shop.line.finished(turn)
        self._let_go()

    def _finish(self, jobs: list[Job]) -> None:
        if len(jobs) > 1:
            joined = Turn(tuple(jobs)).joined()
            has_excuse = self._has_excuse(joined)
            answers = self._answer(joined).value
            # An engine that was taken over may say anything.
            if isinstance(answers, list) and [type(answer) for answer in answers] == [Answer] * len(jobs):
                self._shop.counts.add("joined", len(jobs))
                for job, answer in zip(jobs, answers, strict=True):
                    self._tell(job, _excused(answer) if has_excuse else answer)
                return
        # What brought down the work on all of them may be the wish of one.
        for job in jobs:
            self._tell(job, self._answer(job))

    def _answer(self, job: Job) -> Answer:
        try:
            with packed(job.source) as parcel:
                return self._refused(job, parcel) or self._tried(job, parcel)
        except ImageplaneError as error:
            return Answer(error=error)
        except BaseException as error:  # nobody waits for ever, whatever happens
            return Answer(error=InternalError("Something went wrong here.", detail=repr(error)))

    def _tell(self, job: Job, answer: Answer) -> None:
        if answer.error is None:
            job.future.set_result(answer.value)
        else:
            job.future.set_exception(closed() if self._shop.closing.is_set() else answer.error)

    def _refused(self, job: Job, parcel: Parcel) -> Answer | None:
        remaining_in_s = self._shop.culprits.refusal_in_s(parcel, lambda: job.work)
        if remaining_in_s is None:
            return None
        self._shop.counts.add("refusals")
        minutes = math.ceil(remaining_in_s / 60)
        wait = f"{minutes} minutes" if minutes > 1 else "a minute"
        sentence = f"This image has brought the work on it down more than once; it will not be tried again for {wait}."
        return Answer(error=EngineCrashed(sentence, retry_after_in_s=remaining_in_s))

    def _tried(self, job: Job, parcel: Parcel) -> Answer:
        trouble: ImageplaneError = InternalError("No engine could take this image.")
        for attempt in range(_ATTEMPTS):
            if job.deadline.is_over:
                trouble = Busy("There was no engine for this in time; try again later.", retry_after_in_s=_PAUSE_IN_S)
            if job.deadline.is_over or self._shop.closing.is_set():
                break
            if attempt:
                self._shop.counts.add("retries")
            has_excuse = attempt > 0 or self._has_excuse(job)
            # The engine may have died while it had nothing to do; that is not this job's fault.
            failure = self._make_ready()
            if failure is not None or self.engine is None:
                trouble = failure or trouble
                continue
            try:
                answer = self._asked(self.engine, job, parcel)
                return _excused(answer) if has_excuse else answer
            except Untouched as untouched:
                trouble = InternalError("No engine could take this image.", detail=str(untouched))
            except Died as death:
                self._shop.counts.add_death(death.cause)
                trouble = _excuse(death.error) if has_excuse else death.error
                if not death.is_from_outside:
                    break
        else:
            # Killed so often, it is no accident: a machine that doesn't tell that its memory is exhausted looks so.
            if isinstance(trouble, EngineCrashed):
                self._shop.culprits.blame(parcel, job.work)
        return Answer(error=trouble)

    def _asked(self, engine: Engine, job: Job, parcel: Parcel) -> Answer:
        # Who waits for less time than the work needs has no bad image.
        has_all_time = self._has_all_time(job)
        expires_at = min(job.deadline.expires_at, time.monotonic() + self._shop.deadline_in_s)
        is_file = parcel.descriptor is not None
        order = Order(job.function, job.arguments, expires_at, parcel.size_in_bytes, is_file, job.answers)
        self._done += 1
        try:
            answer = engine.ask(order, parcel, expires_at + _GRACE_IN_S, self._pointlessness(job))
        except Died as death:
            if death.is_of_the_source:
                self._shop.culprits.blame(parcel)
            elif death.is_of_the_work or (death.cause == DEADLINE and has_all_time):
                self._shop.culprits.blame(parcel, job.work)
            raise
        if isinstance(answer.error, DeadlineExceeded) and has_all_time:
            self._shop.culprits.blame(parcel, job.work)
        return answer

    def _has_all_time(self, job: Job) -> bool:
        """Tell whether an engine may work on a job for as long as it may on any."""
        return job.deadline.remaining_in_s > self._shop.deadline_in_s

    def _has_excuse(self, job: Job) -> bool:
        """Tell whether a job that runs out of time now has the line to blame for it, and not only itself."""
        return job.has_lost_its_time and not self._has_all_time(job)

    def _pointlessness(self, job: Job) -> Callable[[], bool]:
        """Give a question to be asked many times: is it better to kill the engine than to let it finish?"""
        since: float | None = None

        def is_pointless() -> bool:
            nonlocal since
            if self._shop.closing.is_set():
                return True
            now = time.monotonic()
            if job.deadline.is_over and now < job.deadline.expires_at:
                # A fresh engine takes as long to start as most work takes to finish.
                since = now if since is None else since
                return now - since > _WORTH_A_START_IN_S
            return False

        return is_pointless

    def _make_ready(self) -> ImageplaneError | None:
        if self.engine is not None and self.engine.is_alive:
            if self._done < self._shop.recycle_after:
                return None
            self._shop.counts.add("recycled")
        for _ in range(_STARTS):
            self._let_go()
            if self._shop.closing.is_set():
                return closed()
            try:
                return self._start()
            except Untouched:
                # Someone kills engines, or the machine has no memory: nobody's order has been touched by that.
                self._shop.counts.add("failed_starts")
        return Busy("No engine could be started just now.", retry_after_in_s=_PAUSE_IN_S)

    def _start(self) -> ImageplaneError | None:
        self._done = 0
        self._shop.counts.add("starts")
        try:
            self.engine = Engine(self._shop.terms)
            words = self.engine.await_ready(self._shop.closing.is_set)
        except Untouched:
            raise
        except Exception as error:  # whatever it is, the next one may start
            self._shop.counts.add("failed_starts")
            self._let_go()
            return _start_failure(error)
        with contextlib.suppress(InvalidStateError):
            self._shop.confinement.set_result(words)
        return None

    def _let_go(self) -> None:
        if self.engine is not None:
            self.engine.close()
            self.engine = None


def _excused(answer: Answer) -> Answer:
    return Answer(error=_excuse(answer.error)) if answer.error else answer


def _excuse(error: ImageplaneError) -> ImageplaneError:
    """Give what is told of work that waited long or was broken off: what it ran out of was not only its own time."""
    if isinstance(error, DeadlineExceeded):
        return Busy("There was too little time left to finish this; try again.", retry_after_in_s=1)
    return error


def closed() -> Busy:
    """Give the answer to work that a closed pool won't do."""
    return Busy("The engines are being shut down.")


def _start_failure(error: Exception) -> ImageplaneError:
    if isinstance(error, ImageplaneError):
        return error
    return InternalError("No engine could be started.", detail=repr(error))
