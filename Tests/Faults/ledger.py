"""What clients sent, were told and have read, and what of it cannot be.

A person here is a register: one writer at a time sets the department to ever larger numbers. So which values a read may
show follows from the times at which writes were sent and acknowledged. Once the outcome of a write is unknown, its person is
written no more: it has either of two values for good.
"""

import bisect
import threading
from dataclasses import dataclass, field

ABSENT = -1


@dataclass
class Write:
    value: int
    sent: float
    # When it was acknowledged, by which node, and as which record; None if it was not, or is not known.
    acknowledged: float = None
    node: str = None
    lsn: int = None
    is_refused: bool = False


@dataclass
class Person:
    name: str
    writes: list = field(default_factory=list)

    def is_doubtful(self):
        return bool(self.writes) and self.writes[-1].acknowledged is None and not self.writes[-1].is_refused

    def next_value(self):
        return len(self.writes)

    def may_be(self):
        """What may be read in the end."""
        values = {ABSENT}
        for write in self.writes:
            if write.acknowledged is not None:
                values = {write.value}
            elif not write.is_refused:
                values.add(write.value)
        return values


@dataclass(frozen=True)
class Read:
    person: str
    node: str
    role: str
    began: float
    ended: float
    value: int
    # The value that must be there, because the read asked for its record.
    at_least: int = ABSENT


class Ledger:
    def __init__(self, staleness):
        self.lock = threading.Lock()
        self.people = {}
        self.staleness = staleness
        self.reads = []
        # The greatest value of each person that was read, and when first.
        self.shown = {}
        self.counts = {"acknowledged": 0, "refused": 0, "unknown": 0, "leader": 0, "follower": 0, "unanswered": 0}
        # When something was acknowledged last, and the longest time without.
        self.last_acknowledgement = None
        self.longest_pause = 0

    def begin_write(self, person, now):
        write = Write(person.next_value(), now)
        with self.lock:
            self.people[person.name] = person
            person.writes.append(write)
        return write

    def acknowledge(self, write, node, lsn, now):
        with self.lock:
            write.acknowledged, write.node, write.lsn = now, node, lsn
            self.counts["acknowledged"] += 1
            if self.last_acknowledgement is not None:
                self.longest_pause = max(self.longest_pause, now - self.last_acknowledgement)
            self.last_acknowledgement = now

    def refuse(self, write):
        with self.lock:
            write.is_refused = True
            self.counts["refused"] += 1

    def note(self, read):
        with self.lock:
            self.reads.append(read)
            self.counts["leader" if read.role == "leader" else "follower"] += 1

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def check_reads(self):
        """What of the reads since the last check cannot be."""
        with self.lock:
            reads, self.reads = self.reads, []
            people = {name: [Write(**vars(write)) for write in person.writes] for name, person in self.people.items()}
        of = {}
        for read in reads:
            of.setdefault(read.person, []).append(read)
        return [problem for name, its_reads in of.items() for problem in self._check(name, people[name], its_reads)]

    def _check(self, name, writes, reads):
        # From when on a value was known to be there: acknowledged, or shown to somebody.
        known = [(write.acknowledged, write.value) for write in writes if write.acknowledged is not None]
        known += [(read.ended, read.value) for read in reads]
        if name in self.shown:
            known.append(self.shown[name])
        times, most = _running_most(known)
        greatest = max(value for _, value in known)
        self.shown[name] = next((time, value) for time, value in sorted(known) if value == greatest)
        for read in reads:
            allowed = 0 if read.role == "leader" else self.staleness
            place = bisect.bisect_left(times, read.began - allowed)
            least = max(read.at_least, most[place - 1] if place else ABSENT)
            if read.value < least:
                yield (f"{read.node} ({read.role}) has shown {name} with {read.value} although {least} was there "
                       f"{allowed} s before it was asked: {_tell(read, writes)}")
            possible = [write for write in writes if write.value == read.value]
            if read.value != ABSENT and (not possible or possible[0].sent > read.ended):
                yield f"{read.node} ({read.role}) has shown {name} with {read.value}, which nobody had sent yet"
            elif possible and possible[0].is_refused:
                yield f"{read.node} ({read.role}) has shown {name} with {read.value}, which was refused"

    def check_acknowledgements(self, epoch_of_record, node_of_epoch):
        """What cannot be of the acknowledgements, given the log in the end: the epoch of each record, and who led in it."""
        with self.lock:
            done = [(write, person.name) for person in self.people.values() for write in person.writes
                    if write.acknowledged is not None and write.lsn]
        done.sort(key=lambda one: one[0].lsn)
        earliest = {}
        for (first, name), (second, other) in zip(done, done[1:]):
            if first.lsn == second.lsn:
                yield f"record {first.lsn} was acknowledged twice, to {name} and {other}"
        last_sent = {}
        for write, name in done:
            epoch = epoch_of_record(write.lsn)
            if epoch is None:
                yield f"record {write.lsn} ({name}, {write.value}) was acknowledged by {write.node}, and is in no log"
                continue
            if node_of_epoch.get(epoch, write.node) != write.node:
                yield (f"record {write.lsn} was acknowledged by {write.node}, and the log has one of epoch {epoch} there, in "
                       f"which {node_of_epoch[epoch]} led")
            earliest[epoch] = min(earliest.get(epoch, write.acknowledged), write.acknowledged)
            last_sent[epoch] = max(last_sent.get(epoch, write.sent), write.sent)
        for old in last_sent:
            for new in earliest:
                if old < new and last_sent[old] > earliest[new]:
                    yield (f"epoch {old} acknowledged a write that was sent {last_sent[old] - earliest[new]:.3f} s after epoch "
                           f"{new} had acknowledged one")


def _running_most(known):
    """Times, and the greatest value known at each."""
    times, most = [], []
    for time, value in sorted(known):
        times.append(time)
        most.append(max(value, most[-1] if most else ABSENT))
    return times, most


def _tell(read, writes):
    near = [f"{write.value} sent {write.sent - read.began:+.3f}"
            + (f" acknowledged {write.acknowledged - read.began:+.3f} by {write.node}" if write.acknowledged else "")
            for write in writes if abs(write.value - read.value) <= 2]
    return f"asked for {read.ended - read.began:.3f} s; " + "; ".join(near)
