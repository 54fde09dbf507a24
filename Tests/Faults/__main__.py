"""Nodes of Gatehouse on a real etcd, on hosts of their own, while links, processes, disks and clocks fail.

    python3 Tests/Faults --rounds 50 --seed 7
    python3 Tests/Faults --only stop-leader,asymmetric --rounds 10

Clients write and read all the while and keep a ledger. After each fault all must run again by itself, and these must hold: no
acknowledged change is lost on any node; no read is older than was promised (the leader's not at all, a follower's at most
`max-staleness`); no change is acknowledged that the log has from another epoch's leader, and none by an old epoch once a newer
one has acknowledged. In the end `gatehousectl cluster verify` must find all nodes equal.

Needs root, network namespaces and TUN, etcd, openssl, and faketime for the clocks. Ends with 0 if nothing was found, 1 if
something was, 77 if this machine cannot do it.
"""

import argparse
import os
import random
import shutil
import sys
import time

sys.dont_write_bytecode = True

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(1, os.path.join(ROOT, "Benchmarks"))

from clients import Reader, Writer, read_person
from faults import FAULTS, MISSING, Round
from ledger import Ledger
from network import Network, Unavailable
from stage import CLIENTS, FaultFound, Stage, member_names, node_names

from support import resp
from support.processes import Workbench

SKIPPED = 77
MOST_DESCRIPTORS = 100
"""A node has about 55, and some for its clients."""


def main():
    options = parse()
    try:
        for program in ("etcd", "etcdctl", "openssl"):
            if not shutil.which(program):
                raise Unavailable(f"{program} is not installed")
        network = Network(member_names() + node_names() + [CLIENTS], options.seed)
    except Unavailable as reason:
        skip(reason)
    with Workbench("gatehouse-faults-") as bench:
        ledger = Ledger(options.staleness / 1000)
        try:
            stage = Stage(bench, network, options, ledger)
        except Unavailable as reason:
            skip(reason)
        problems = []
        try:
            run(stage, options, problems)
        except (FaultFound, RuntimeError, OSError, resp.ReplyError) as error:
            problems.append(f"{type(error).__name__}: {error}")
        finally:
            network.close()
            stage.disk.remove()
        tell(ledger)
        for problem in problems[:20]:
            print(f"FOUND: {problem}")
        if problems and options.keep:
            shutil.copytree(bench.folder, options.keep, dirs_exist_ok=True)
            print(f"the folders and logs of all are in {options.keep}")
        print(f"{len(problems)} problems; --seed {options.seed}", flush=True)
    sys.exit(1 if problems else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def parse():
    parser = argparse.ArgumentParser(
        prog="Tests/Faults", description=__doc__.splitlines()[0], epilog="Faults: " + ", ".join(FAULTS))
    parser.add_argument("--gatehouse", help="the server program, with gatehousectl beside it (default: the newest build)")
    parser.add_argument("--rounds", type=int, default=30, help="how many faults (default %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of which faults come, and how (default: the time)")
    parser.add_argument("--only", help="these faults, with commas, in turns")
    parser.add_argument("--lease", type=int, default=2000, help="milliseconds of a leader's lease (default %(default)s)")
    parser.add_argument("--staleness", type=int, default=1000, help="milliseconds of max-staleness (default %(default)s)")
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--pace", type=float, default=5, help="milliseconds between two requests of a client (default %(default)s)")
    parser.add_argument("--patience", type=float, default=60, help="seconds until all must run again (default %(default)s)")
    parser.add_argument("--keep", metavar="FOLDER", help="copy all folders and logs there if something is found")
    options = parser.parse_args()
    if options.gatehouse is None:
        built = [os.path.join(ROOT, ".build", kind, "gatehouse") for kind in ("release", "debug")]
        options.gatehouse = max(filter(os.path.exists, built), key=os.path.getmtime, default=built[0])
    for program in (options.gatehouse, options.gatehouse + "ctl"):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there; build it with: swift build")
    options.kinds = options.only.split(",") if options.only else None
    for kind in options.kinds or ():
        if kind not in FAULTS and kind not in MISSING:
            parser.error(f"there is no fault {kind}; there are {', '.join(FAULTS)}")
    if options.kinds:
        for kind in filter(MISSING.get, options.kinds):
            print(f"left out: {kind} ({MISSING[kind]})")
        options.kinds = [kind for kind in options.kinds if kind in FAULTS]
        if not options.kinds:
            skip("none of these faults can be had here")
    return options


def kinds(options, source):
    """The faults in the order in which they come: those that were named in turns, else all in an order by chance, again and
    again, so that each comes equally often."""
    while True:
        if options.kinds:
            yield from options.kinds
        else:
            order = sorted(FAULTS)
            source.shuffle(order)
            yield from order


def run(stage, options, problems):
    source = random.Random(options.seed)
    stage.start()
    workers = [Writer(stage, number, options.seed) for number in range(options.writers)]
    workers += [Reader(stage, number, options.seed) for number in range(options.readers)]
    for worker in workers:
        worker.thread.start()
    order = kinds(options, source)
    try:
        for number in range(options.rounds):
            one_round(stage, options, next(order), number, source, problems)
            problems += [problem for worker in workers for problem in worker.problems]
            if problems:
                break
    finally:
        for worker in workers:
            worker.stop()
    if not problems:
        finish(stage, problems)


def one_round(stage, options, kind, number, source, problems):
    ledger = stage.ledger
    time.sleep(0.3)
    before = dict(ledger.counts)
    ledger.longest_pause = 0
    began = time.monotonic()
    try:
        FAULTS[kind](Round(stage, random.Random(source.random())))
    except FaultFound as error:
        raise FaultFound(f"round {number + 1}, {kind}: {error}") from error
    finally:
        stage.network.heal()
    lasted = time.monotonic() - began
    try:
        recovered = stage.settle(options.patience)
    except FaultFound as error:
        raise FaultFound(f"round {number + 1}, after {kind}: {error}") from error
    look_everywhere(stage)
    problems += [f"round {number + 1}, {kind}: {problem}" for problem in ledger.check_reads()]
    if number % 10 == 9:
        # What they cover is deleted from the shared log.
        for node in stage.nodes:
            node.ask("BGSAVE")
    counts = {what: ledger.counts[what] - before[what] for what in before}
    print(f"{number + 1:4} {kind:28} {lasted:5.1f} s, well after {recovered:4.1f} s; "
          f"{counts['acknowledged']} acknowledged, {counts['refused']} refused, {counts['unknown']} unknown, "
          f"longest pause {ledger.longest_pause:.1f} s; read {counts['leader']} + {counts['follower']}", flush=True)


def look_everywhere(stage):
    """Reads on every node everybody who was written lately."""
    with stage.ledger.lock:
        people = list(stage.ledger.people.values())[-300:]
    for node in stage.nodes:
        try:
            with node.client() as client:
                for person in people:
                    read_person(stage, node, client, person)
        except OSError:
            pass  # It may be that another one came to lead in this moment.


def finish(stage, problems):
    """Looks at everything once nobody writes."""
    stage.settle()
    problems += stage.ledger.check_reads()
    people = list(stage.ledger.people.values())
    for node in stage.nodes:
        with node.client(30) as client:
            for person in people:
                value = read_person(stage, node, client, person)
                if value not in person.may_be():
                    problems.append(f"in the end {node.name} has {person.name} with {value}, and it must be one of "
                                    f"{sorted(person.may_be())}")
    problems += stage.ledger.check_reads()
    print(stage.verify())
    owners = {epoch: node.name for node in stage.nodes for epoch in node.epochs()}
    for node in stage.nodes:
        problems += [f"by the log of {node.name}: {problem}"
                     for problem in stage.ledger.check_acknowledgements(stage.epochs_of_records(node).get, owners)]
        if node.descriptors() > MOST_DESCRIPTORS:
            problems.append(f"{node.name} has {node.descriptors()} descriptors open in the end")
    print(f"{len(people)} people, {len(owners)} epochs")


def tell(ledger):
    counts = ledger.counts
    print(f"{counts['acknowledged']} changes acknowledged, {counts['refused']} refused, {counts['unknown']} unknown; "
          f"{counts['leader']} reads of leaders, {counts['follower']} of followers, {counts['unanswered']} not answered")


if __name__ == "__main__":
    main()
