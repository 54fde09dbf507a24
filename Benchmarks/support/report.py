"""Figures and their targets, as a Markdown table and as JSON."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass
class Finding:
    """One figure and its target."""

    name: str
    ours: str
    theirs: str
    figure: float
    # At least this if `more_is_better`, else at most this; None for a figure without a target.
    target: float = None
    more_is_better: bool = True
    unit: str = "×"

    @property
    def met(self):
        if self.target is None:
            return None
        return self.figure >= self.target if self.more_is_better else self.figure <= self.target


def table(findings):
    """The findings as a Markdown table."""
    rows = [("figure", "Gatehouse", "peer", "measured", "target", "")]
    for finding in findings:
        sign = "≥" if finding.more_is_better else "≤"
        target = "" if finding.target is None else f"{sign} {number(finding.target)} {finding.unit}"
        verdict = {None: "", True: "met", False: "**missed**"}[finding.met]
        rows.append((finding.name, finding.ours, finding.theirs, f"{number(finding.figure)} {finding.unit}", target, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def number(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def rate(per_second):
    """Commands a second, in short form."""
    if per_second >= 1e6:
        return f"{per_second / 1e6:.2f} M/s"
    return f"{per_second / 1e3:.1f} k/s"


def median_ratio(ours, theirs):
    """The median of the ratios of each round, so that changes on the machine between rounds cancel out."""
    return statistics.median(a / b for a, b in zip(ours, theirs) if b)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def arguments(description, users=1_000_000, **defaults):
    """The options of every script."""
    parser = argparse.ArgumentParser(description=description)
    release = os.path.join(ROOT, ".build", "release")
    parser.add_argument("--gatehouse", default=os.path.join(release, "gatehouse"), help="the server program")
    parser.add_argument("--bench", default=os.path.join(release, "gatehouse-bench"), help="the load test program")
    parser.add_argument("--gatehouse-option", action="append", default=[], metavar="WORD",
                        help="a further word for `gatehouse serve`; may be repeated")
    parser.add_argument("--lanes", type=int, default=defaults.get("lanes"), help="lanes of the server")
    parser.add_argument("--users", type=int, default=users, help="how many users (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, for a first look")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    parser.add_argument("--ahead", action="store_true",
                        help="goes before other programs of this machine: server, peers and clients are scheduled as one "
                             "group that gets the cores first, and share them among themselves as ever (needs root)")
    parser.add_argument("--strict", action="store_true", help="end with status 1 when a target is missed")
    return parser


def ahead():
    """Runs the script again as a session of its own, which the kernel schedules as a group, before all others.

    For machines that have other work to do: their figures are nearly those of a quiet machine, because what is compared
    still shares the cores as equals. What the other programs do inside the kernel, and to the caches, stays."""
    if os.environ.get("GATEHOUSE_BENCH_AHEAD") != "1":
        os.environ["GATEHOUSE_BENCH_AHEAD"] = "1"
        os.execvp("setsid", ["setsid", "--wait", sys.executable, *sys.argv])
    try:
        with open("/proc/self/autogroup", "w") as file:
            file.write("-20")
    except OSError as error:
        sys.exit(f"--ahead needs root and a kernel with autogroups: {error}")


def parse(parser):
    """Parses the options, and checks that the programs exist."""
    options = parser.parse_args()
    if options.ahead:
        ahead()
    if options.quick:
        options.users = max(1000, options.users // 10)
    for program in (options.gatehouse, options.bench):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not there; build it with: swift build -c release --static-swift-stdlib")
    for program in ("redis-server", "redis-benchmark"):
        if not shutil.which(program):
            parser.error(f"{program} is not installed (apt: redis-server, redis-tools)")
    busy = os.getloadavg()[0]
    if busy > os.cpu_count() / 2:
        progress(f"this machine is busy with other work (load {busy:.1f} on {os.cpu_count()} cores): "
                 "rates and latencies will say little, processor times and sizes more")
    return options


def finish(options, findings, raw=None, title=None):
    """Prints the table, writes the JSON, and ends the script."""
    if title:
        print(f"\n### {title}\n")
    print(table(findings), flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine(), "findings": [{**asdict(f), "met": f.met} for f in findings], "raw": raw},
                      file, indent=1)
            file.write("\n")
    if options.strict and any(finding.met is False for finding in findings):
        sys.exit(1)


def machine():
    """The machine and versions; figures mean little without them."""
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.strip()
    return {"cores": os.cpu_count(), "kernel": platform.release(), "processor": _processor(), "redis": redis,
            "load": os.getloadavg()}


def _processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    except OSError:
        return "unknown"
