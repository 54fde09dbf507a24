"""Clients that write and read all the while, each on a thread of its own, and keep the ledger."""

import random
import re
import threading
import time

from ledger import ABSENT, Person, Read

from support import resp

LIVE_PEOPLE = 12
REFUSALS = ("READONLY", "BUSY", "MASTERDOWN", "LOADING", "TRYAGAIN")


class Client:
    """A connection to one node after the other."""

    def __init__(self, stage, number, seed):
        self.stage = stage
        self.random = random.Random(f"{seed}-{type(self).__name__}-{number}")
        self.number = number
        self.node = None
        self.connection = None
        self.problems = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.is_over.wait(self.stage.pace * self.random.uniform(0.5, 1.5)):
            try:
                if self.connection is None:
                    self.node = self.node or self.random.choice(self.stage.nodes)
                    self.connection = self.node.client(self.stage.client_patience)
                self.act()
            except OSError:
                self.disconnect()
            except resp.ReplyError as error:
                self.disconnect()
                if not str(error).startswith(REFUSALS):
                    self.problems.append(f"an unexpected answer of {self.node and self.node.name}: {error}")
            except Exception as error:
                self.problems.append(f"{type(self).__name__} {self.number}: {error!r}")
                self.disconnect()
        self.disconnect()

    def disconnect(self, next_node=None):
        if self.connection:
            self.connection.close()
        self.connection, self.node = None, next_node

    def stop(self):
        self.is_over.set()
        self.thread.join(self.stage.client_patience + 10)


class Writer(Client):
    """Writes people of its own."""

    def __init__(self, *words):
        super().__init__(*words)
        self.live = []
        self.created = 0

    def act(self):
        ledger = self.stage.ledger
        self.live = [person for person in self.live if not person.is_doubtful()]
        if len(self.live) < LIVE_PEOPLE or self.random.random() < 0.2:
            person = Person(f"w{self.number}-{self.created}")
            self.created += 1
            words = ("USER.CREATE", person.name, "NOINVITE", "PRODUCT", "payroll", "STATUS", "active", "DEPARTMENT", "0")
            self.live = [*self.live, person][-2 * LIVE_PEOPLE:]
        else:
            person = self.random.choice(self.live)
            words = ("USER.SET", person.name, "department", person.next_value())
        if not person.writes and words[0] == "USER.SET":
            return
        write = ledger.begin_write(person, time.monotonic())
        node = self.node
        try:
            answers = self.connection.each([words, ("CLIENT", "LASTLSN")])
            first = next(answers)
            acknowledged = time.monotonic()
        except OSError:
            ledger.count("unknown")
            raise
        if isinstance(first, resp.ReplyError):
            ledger.refuse(write)
            # Whoever was refused to be made is not there to be set.
            self.live = [person for person in self.live if not all(write.is_refused for write in person.writes)]
            leader = re.search(r"leader is (\S+):\d+", str(first))
            if not str(first).startswith(REFUSALS):
                raise first
            return self.disconnect(self.stage.node_at(leader.group(1)) if leader else None)
        try:
            lsn = next(answers)
        except OSError:
            lsn = None
        ledger.acknowledge(write, node.name, lsn, acknowledged)
        if lsn is None:
            self.disconnect()


class Reader(Client):
    """Reads from any node, and sometimes asks for what was acknowledged a moment ago."""

    def act(self):
        ledger = self.stage.ledger
        with ledger.lock:
            people = list(ledger.people.values())[-3 * LIVE_PEOPLE:]
        if not people:
            return
        person = self.random.choice(people)
        if self.random.random() < 0.05:
            return self.disconnect()
        wanted = None
        if self.random.random() < 0.3:
            wanted = next((write for write in reversed(person.writes) if write.lsn), None)
        read_person(self.stage, self.node, self.connection, person, wanted)


def read_person(stage, node, connection, person, wanted=None):
    """Notes what a node shows of a person, unless it answers that it cannot tell."""
    words = ("USER.GET", person.name)
    if wanted:
        words = ("MINLSN", wanted.lsn, *words)
    began = time.monotonic()
    # It leads if it says so before and after.
    before, answer, after = connection.each([("ROLE",), words, ("ROLE",)])
    ended = time.monotonic()
    if isinstance(answer, resp.ReplyError):
        if not str(answer).startswith("NOTFOUND"):
            stage.ledger.count("unanswered")
            if not str(answer).startswith(REFUSALS):
                raise answer
            return None
        value = ABSENT
    else:
        value = int(answer[answer.index("department") + 1])
    leads = all(not isinstance(role, resp.ReplyError) and role[0] == "master" for role in (before, after))
    stage.ledger.note(Read(person.name, node.name, "leader" if leads else "follower", began, ended, value,
                           wanted.value if wanted else ABSENT))
    return value
