"""What goes wrong in a round. Each fault is a function that brings it about and takes it back; clients go on meanwhile.

`hold` waits for about as long as a leader may be silent and longer, so that what a fault brings about comes about. Whatever a
fault leaves, `Stage.settle` must find mended by itself within its patience, unless the fault mends it as an operator would."""

import json
import os
import shutil
import signal
import subprocess
import time

from network import CUT, Link
from stage import CLIENTS, FakeClock, FaultFound, member_names, node_names

from support.cluster import copy_folder
from support.processes import end, wait_until

FAULTS = {}
"""By name."""

MISSING = {}
"""Those that this machine cannot bring about, and why."""


def fault(function):
    FAULTS[function.__name__.replace("_", "-")] = function
    return function


class Round:
    """One fault, in the stage, with its own random choices."""

    def __init__(self, stage, random):
        self.stage, self.random = stage, random
        self.network, self.etcd, self.nodes, self.lease = stage.network, stage.etcd, stage.nodes, stage.options.lease / 1000
        # On a busy machine a leader may have lost its short lease just now.
        self.leader = stage.leader()
        until = time.monotonic() + stage.options.patience
        while self.leader is None and time.monotonic() < until:
            time.sleep(0.1)
            self.leader = stage.leader()
        if self.leader is None:
            raise FaultFound("no node leads at the beginning of a round")
        self.others = [node for node in self.nodes if node is not self.leader]

    def hold(self, leases=None):
        time.sleep(self.lease * (leases or self.random.uniform(0.3, 2.2)))

    def hold_past_lease(self):
        self.hold(self.random.uniform(1.6, 2.6))

    def acknowledged(self):
        return self.stage.ledger.counts["acknowledged"]

    def must_go_on(self, what, leases):
        """Somebody must get a change acknowledged while the fault lasts, which is longer on a busy machine."""
        before, began = self.acknowledged(), time.monotonic()
        self.hold(leases)
        while self.acknowledged() == before:
            if time.monotonic() > began + self.stage.options.patience:
                raise FaultFound(f"no change was acknowledged for {time.monotonic() - began:.1f} s {what}")
            time.sleep(0.1)

    def some_members(self):
        names = member_names()
        return self.random.sample(names, self.random.randint(1, len(names)))


# Partitions


@fault
def leader_from_etcd(round_):
    """Another node must lead, and take changes."""
    round_.network.set([round_.leader.name], member_names(), CUT)
    round_.hold(2.2)
    round_.must_go_on("while the leader was cut off from etcd", 3)


@fault
def leader_from_some_members(round_):
    round_.network.set([round_.leader.name], round_.some_members(), CUT)
    round_.hold()


@fault
def followers_from_etcd(round_):
    """The leader goes on, and the others answer only while their news is young."""
    round_.network.set([node.name for node in round_.others], member_names(), CUT)
    round_.must_go_on("while the followers were cut off from etcd", 2)


@fault
def clients_from_leader(round_):
    """It keeps the lead, and nobody can write."""
    round_.network.set([CLIENTS], [round_.leader.name], CUT)
    round_.hold()


@fault
def asymmetric(round_):
    """One direction of the leader's links to etcd, or of a member's to the others."""
    if round_.random.random() < 0.6:
        ends = [[round_.leader.name], member_names()]
    else:
        member = round_.stage.member_that_leads().name
        ends = [[member], [name for name in member_names() if name != member]]
    round_.random.shuffle(ends)
    round_.network.set(*ends, CUT, both_ways=False)
    round_.hold_past_lease()


@fault
def member_alone(round_):
    """The member that leads the others hears nothing more of them, but of the nodes."""
    member = round_.stage.member_that_leads().name
    round_.network.set([member], [name for name in member_names() if name != member], CUT)
    if round_.random.random() < 0.5:
        # The leading node, and nobody else, talks to that member only.
        round_.network.set([round_.leader.name], [name for name in member_names() if name != member], CUT)
    round_.hold_past_lease()


@fault
def halves(round_):
    """The leader with one member on one side, and all others on the other."""
    ours = [round_.leader.name, round_.random.choice(member_names())]
    theirs = [name for name in member_names() + node_names() + [CLIENTS] if name not in ours]
    if round_.random.random() < 0.5:
        theirs.remove(CLIENTS)
    round_.network.set(ours, theirs, CUT)
    round_.hold_past_lease()


@fault
def slow(round_):
    delay = round_.random.choice([0.02, 0.1, 0.3])
    sources = round_.random.choice([[round_.leader.name], node_names(), member_names()])
    round_.network.set(sources, member_names(), Link(delay=delay, jitter=delay))
    round_.hold(2)


@fault
def lossy(round_):
    sources = round_.random.choice([[round_.leader.name], node_names(), member_names()])
    round_.network.set(sources, member_names() + [CLIENTS], Link(loss=round_.random.choice([0.02, 0.1, 0.3])))
    round_.hold(2)


@fault
def flapping(round_):
    """Links that come and go."""
    for _ in range(6):
        round_.network.set([round_.random.choice(node_names())], round_.some_members(), CUT,
                           both_ways=round_.random.random() < 0.5)
        time.sleep(round_.lease * round_.random.uniform(0.1, 0.5))
        if round_.random.random() < 0.5:
            round_.network.heal()


# Processes that stop, or end


@fault
def stop_leader(round_):
    """For longer than its lease: another one leads, and this one must not answer when it goes on."""
    round_.leader.signal(signal.SIGSTOP)
    round_.hold_past_lease()
    round_.leader.signal(signal.SIGCONT)
    round_.hold(0.5)


@fault
def stop_leader_often(round_):
    """For about as long as its lease, which is when answers are most in danger."""
    for _ in range(4):
        round_.leader.signal(signal.SIGSTOP)
        round_.hold(round_.random.uniform(0.8, 1.2))
        round_.leader.signal(signal.SIGCONT)
        round_.hold(0.3)


@fault
def stop_follower(round_):
    node = round_.random.choice(round_.others)
    node.signal(signal.SIGSTOP)
    round_.must_go_on("while a follower stood still", 2)
    node.signal(signal.SIGCONT)


@fault
def stop_members(round_):
    members = round_.random.sample(round_.etcd.members, round_.random.randint(1, 3))
    for member in members:
        member.process.send_signal(signal.SIGSTOP)
    round_.hold_past_lease()
    for member in members:
        member.process.send_signal(signal.SIGCONT)


@fault
def kill_leader(round_):
    """It comes back as a follower."""
    round_.leader.kill()
    round_.hold(2)
    if round_.random.random() < 0.7:
        round_.must_go_on("after the leader was killed", 3)
    round_.leader.start()


@fault
def kill_leader_at_once_back(round_):
    round_.leader.kill()
    round_.leader.start()
    round_.hold(1)


@fault
def kill_follower(round_):
    node = round_.random.choice(round_.others)
    node.kill()
    round_.must_go_on("after a follower was killed", 1)
    node.start()


@fault
def kill_member(round_):
    """Two of three remain, and the nodes go on."""
    member = round_.stage.member_that_leads() if round_.random.random() < 0.7 else round_.random.choice(round_.etcd.members)
    end(member.process, signal.SIGKILL)
    round_.must_go_on("after a member of etcd was killed", 3)
    member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)


@fault
def kill_everything(round_):
    """Nodes, or members, or both."""
    what = round_.random.choice(["nodes", "members", "both"])
    if what != "members":
        for node in round_.random.sample(round_.nodes, len(round_.nodes)):
            node.kill()
    if what != "nodes":
        for member in round_.etcd.members:
            end(member.process, signal.SIGKILL)
    round_.hold(0.5)
    if what != "nodes":
        for member in round_.etcd.members:
            member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)
    if what != "members":
        for node in round_.random.sample(round_.nodes, len(round_.nodes)):
            node.start()


@fault
def promote(round_):
    """The lead is handed over by an operator, while the new leader's links are slow."""
    node = round_.random.choice(round_.others)
    if round_.random.random() < 0.5:
        round_.network.set([node.name], member_names(), Link(delay=0.05, jitter=0.05))
    words = ("NODE.PROMOTE", node.name)
    (node if round_.random.random() < 0.5 else round_.leader).ask(*words)
    if round_.random.random() < 0.5:
        round_.hold(0.3)
        node.ask(*words, "FORCE")
    round_.hold(1.5)


@fault
def storm(round_):
    """One thing after the other, until most has failed at once. A majority of etcd's data stays, as its members sync."""
    random = round_.random
    names = member_names() + node_names()
    machines = round_.nodes + round_.etcd.members
    for _ in range(random.randint(6, 20)):
        act = random.random()
        machine = random.choice(machines)
        if act < 0.3:
            round_.network.set([random.choice(names)], random.sample(names, random.randint(1, 4)), CUT,
                               both_ways=random.random() < 0.5)
        elif act < 0.4:
            round_.network.set([random.choice(names)], names + [CLIENTS],
                               Link(loss=random.choice([0, 0.1]), delay=random.choice([0, 0.05, 0.2]), jitter=0.1))
        elif act < 0.5:
            round_.network.heal()
        elif act < 0.7:
            machine.process.send_signal(signal.SIGSTOP)
        elif act < 0.85:
            machine.process.send_signal(signal.SIGCONT)
        else:
            restart(round_, machine)
        time.sleep(round_.lease * random.uniform(0.05, 0.6))
    for machine in machines:
        machine.process.send_signal(signal.SIGCONT)
    round_.network.heal()


def restart(round_, machine):
    """Kills a node or a member, and starts it again at once."""
    if machine in round_.nodes:
        machine.kill()
        machine.start()
    else:
        end(machine.process, signal.SIGKILL)
        machine.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)


# What etcd keeps


def newest_revision(round_):
    answer = round_.etcd.control("get", "nothing", "--write-out", "json")
    return json.loads(answer.stdout)["header"]["revision"]


@fault
def compaction(round_):
    """etcd forgets the revisions that a follower's watch was to go on from."""
    node = round_.random.choice(round_.others)
    if round_.random.random() < 0.5:
        node.signal(signal.SIGSTOP)
    round_.network.set([node.name], member_names(), CUT)
    round_.must_go_on("while a follower was away", 1)
    compacted = round_.etcd.control("compact", str(newest_revision(round_)))
    if compacted.returncode != 0:
        raise RuntimeError(f"etcdctl compact: {compacted.stderr}")
    if node.is_wanted:
        node.signal(signal.SIGCONT)


@fault
def truncation(round_):
    """The nodes delete from the shared log what one of them still needs, because it was away for too long. It fetches
    another's folder by itself, or it says so, and an operator gives it a copy."""
    node = round_.random.choice(round_.others)
    node.kill()
    # The others wait for it for as long as it is heard of.
    wait_until(lambda: len(round_.leader.ask("NODE.LIST") or ()) == len(round_.nodes) - 1, "a node to be forgotten", 30)
    first = first_kept(round_)
    for number in range(60):
        # Names that do not compress well.
        names = [f"filling-{round_.random.randbytes(16).hex()}" for _ in range(500)]
        with round_.leader.client(30) as client:
            client.call("USER.CREATEMANY", "FIELDS", 1, "username", "ROWS", len(names), *names, "NOINVITE")
        for other in round_.nodes:
            if other is not node:
                other.ask("BGSAVE")
        time.sleep(0.3)
        if first_kept(round_) > first:
            break
    else:
        kept = round_.leader.info().get("replication_kept_bytes")
        raise FaultFound(f"the nodes have truncated nothing of {kept} bytes, although two have snapshots")
    fetches = round_.random.random() < 0.5
    node.start(fetches=fetches)
    wait_until(lambda: node.has_ended or node.info().get("node_role") == "follower", "the node to be compared", 30)
    if node.has_ended and not fetches:
        if "gatehousectl backup" not in node.messages()[-4000:]:
            raise FaultFound(f"{node.name} has ended without telling what to do:\n{round_.stage.bench.output(node.name)}")
        copy_folder(round_.stage.options, round_.leader.data, node.data)
        node.start()


def first_kept(round_):
    """The first frame that etcd keeps."""
    keys = round_.etcd.control("get", "--prefix", "/gatehouse/", "--keys-only").stdout.split()
    return min(int(key.rsplit("/", 1)[1], 16) for key in keys if "/log/" in key)


@fault
def member_restored(round_):
    """A member comes back with an older copy of its data. etcd's own members find that out, or the member catches up; an
    operator takes one that has ended out, and adds it anew."""
    member = round_.random.choice(round_.etcd.members)
    end(member.process, signal.SIGKILL)
    copy = member.data + ".copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(member.data, copy)
    member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)
    wait_until(round_.etcd.is_healthy, "etcd to answer again", 30)
    round_.must_go_on("with all members", 1)
    end(member.process, signal.SIGKILL)
    shutil.rmtree(member.data)
    os.rename(copy, member.data)
    member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)
    round_.hold(2)
    if member.process.poll() is None:
        return
    add_anew(round_, member)


def add_anew(round_, member):
    others = [other for other in round_.etcd.members if other is not member]
    listed = round_.etcd.control("member", "list", members=others).stdout.splitlines()
    number = next(line.split(",")[0] for line in listed if member.peer_url in line)
    for words in (("remove", number), ("add", member.name, f"--peer-urls={member.peer_url}")):
        for attempt in range(20):
            done = round_.etcd.control("member", *words, members=others)
            if done.returncode == 0:
                break
            # etcd refuses while it is not sure of its majority.
            time.sleep(0.5)
        else:
            raise RuntimeError(f"etcdctl member {words[0]}: {done.stderr}")
    shutil.rmtree(member.data)
    member.start(round_.etcd.members, state="existing", quota_bytes=round_.etcd.quota_bytes)


@fault
def etcd_restored(round_):
    """All members come back with older copies: what was acknowledged since is lost there. No node may go on with that; an
    operator begins a new shared log with the newest folder."""
    for member in round_.etcd.members:
        end(member.process, signal.SIGKILL)
    for member in round_.etcd.members:
        shutil.rmtree(member.data + ".copy", ignore_errors=True)
        shutil.copytree(member.data, member.data + ".copy")
        member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)
    wait_until(round_.etcd.is_healthy, "etcd to answer again", 30)
    wait_until(lambda: round_.stage.leader(), "a node to lead again", 30)
    round_.must_go_on("after etcd came back", 2)
    # What was written since is in the nodes' folders. They find it missing while they run, or when they start.
    are_up = round_.random.random() < 0.5
    if not are_up:
        for node in round_.nodes:
            node.kill()
    for member in round_.etcd.members:
        end(member.process, signal.SIGKILL)
    for member in round_.etcd.members:
        shutil.rmtree(member.data)
        os.rename(member.data + ".copy", member.data)
        member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)
    wait_until(round_.etcd.is_healthy, "etcd to answer again", 30)
    for node in round_.nodes:
        if not are_up:
            node.start()
        node.is_wanted = False
    try:
        wait_until(lambda: all(node.has_ended for node in round_.nodes), "the nodes to notice", 30)
    except RuntimeError as error:
        going_on = [node.name for node in round_.nodes if not node.has_ended]
        raise FaultFound(f"etcd was set back to an older copy, and {', '.join(going_on)} did not end") from error
    for node in round_.nodes:
        if "older copy" not in node.messages()[-4000:]:
            raise FaultFound(f"{node.name} has ended without telling of an older copy:\n"
                             + round_.stage.bench.output(node.name))
    for member in round_.etcd.members:
        end(member.process, signal.SIGKILL)
        shutil.rmtree(member.data)
    round_.etcd.start()
    newest = max(round_.nodes, key=lambda node: max(round_.stage.epochs_of_records(node)))
    newest.start(follow="begin")
    wait_until(lambda: newest.info().get("node_role") == "leader", "the newest folder's node to lead", 60)
    for node in round_.nodes:
        if node is not newest:
            # Its folder is at most behind; a copy is what the manual says.
            copy_folder(round_.stage.options, newest.data, node.data)
            node.start()


@fault
def disk_full(round_):
    """The disk of a member is full. It ends, and the others go on; an operator makes room and starts it."""
    member = round_.etcd.members[-1]
    round_.stage.disk.fill()
    fill_etcd(round_, lambda _: member.process.poll() is not None)
    if member.process.poll() is None:
        raise RuntimeError(f"{member.name} goes on although its disk is full")
    round_.must_go_on("after the disk of a member was full", 2)
    round_.stage.disk.make_room()
    empty_etcd(round_)
    member.start(round_.etcd.members, quota_bytes=round_.etcd.quota_bytes)
    round_.hold(1)
    if member.process.poll() is not None:
        add_anew(round_, member)


def fill_etcd(round_, is_enough):
    """Puts megabytes until a put's errors, or something else, say that it is enough."""
    filling = os.path.join(round_.stage.bench.folder, "filling")
    with open(filling, "w") as file:
        file.write("x" * 1_000_000)
    for number in range(200):
        with open(filling) as source:
            put = subprocess.run(
                ["etcdctl", "--endpoints", round_.etcd.members[0].endpoint, "--command-timeout", "5s", "put",
                 f"/filling/{number}"], stdin=source, env=os.environ | {"ETCDCTL_API": "3"}, capture_output=True, text=True)
        if is_enough(put.stderr):
            return
    raise RuntimeError("etcd does not get full")


def empty_etcd(round_):
    round_.etcd.control("del", "--prefix", "/filling/", timeout="20s")
    round_.etcd.control("compact", "--physical", str(newest_revision(round_)), timeout="20s")
    for member in round_.etcd.members:
        round_.etcd.control("defrag", members=[member], timeout="20s")


@fault
def quota(round_):
    """etcd is full and takes nothing; the nodes refuse changes, and take them again once an operator has made room."""
    fill_etcd(round_, lambda errors: "space exceeded" in errors)
    round_.hold(2)
    before = round_.acknowledged()
    round_.hold(0.5)
    if round_.acknowledged() > before + 1:
        raise FaultFound("changes were acknowledged although etcd has no space")
    empty_etcd(round_)
    round_.etcd.control("alarm", "disarm")


# Clocks


@fault
def clock_jump(round_):
    """The wall clock of a node jumps, and back. Leases go by another clock."""
    node = round_.random.choice(round_.nodes)
    node.stop()
    node.start(has_fake_clock=True)
    wait_until(lambda: node.info().get("node_role"), "the node to answer", 30)
    if round_.random.random() < 0.7:
        node.ask("NODE.PROMOTE", node.name)
        round_.hold(0.7)
    for _ in range(2):
        node.clock.set(round_.random.choice(["+40s", "-40s", "+50m", "-3h", "+3h"]))
        round_.hold(0.6)
    node.clock.set("+0")
    round_.hold(0.4)
    node.stop()
    node.start()


if not FakeClock.LIBRARY:
    del FAULTS["clock-jump"]
    MISSING["clock-jump"] = "faketime is not installed"
