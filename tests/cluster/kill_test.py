#!/usr/bin/env python3
"""Kills a supervised batch again and again, anywhere and at any time, and checks that it keeps its word.

usage: kill_test.py PROGRAM [--kills N] [--seed N] [--jobs N] [--ranks N] [--limit SECONDS]

PROGRAM is faulty_edgelab (tests/support), whose jobs sleep. A batch of short jobs, one to four ranks wide, some needing
others, runs under `submit`. At random moments SIGKILL goes to a random rank, guard, mpirun or the supervisor itself; whenever
`submit` ends without having finished, `submit --resume` goes on. When a batch is done the next begins, until enough kills
have been made. After every end of `submit`, and so after every kill of a supervisor:

- every record that was acknowledged (a line "ID: done" or "ID: failed" that was read here) is in the journal;
- no job is done twice;
- the results file, if there is one, passes `results verify`;
- it took no longer than the limit: a batch that hangs is broken too;

and in the end of each batch every job is done, in the journal and in the results file.
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ENDED = re.compile(rb"^\[ *[\d.]+ s\] (j\d+): (done(?=[,\n])|failed(?=:))")


class Broken(Exception):
    """The batch did not keep its word."""


def processes_below(root):
    """(pid, words of the command line) of all processes that descend from `root`."""
    children = collections.defaultdict(list)
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        children[int(stat.rpartition(")")[2].split()[1])].append(int(entry))
    found, open_ends = [], [root]
    while open_ends:
        for child in children[open_ends.pop()]:
            open_ends.append(child)
            try:
                words = pathlib.Path("/proc", str(child), "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found.append((child, words))
    return found


def kind_of(words):
    """rank, guard, mpirun, or None for what is none of ours."""
    if len(words) > 1 and words[1] == b"guard":
        return "guard"
    if len(words) > 1 and words[1] == b"run":
        return "rank"
    return "mpirun" if words[0].endswith(b"mpirun") else None


class Batch:
    """One batch in a folder of its own, from its first `submit` until it is done."""

    def __init__(self, program, folder, dice, options):
        self.program, self.folder, self.dice, self.ranks, self.limit = program, folder, dice, options.ranks, options.limit
        self.jobs = options.jobs
        self.results, self.journal = folder / "batch.h5", folder / "batch.journal"
        self.acknowledged = []  # (job, status), in the order in which they were read
        self.done = False
        self.submits = 0
        (folder / "batch.yaml").write_text(self.job_file())

    def job_file(self):
        lines = ["name: batch", "defaults: {task: evaluate, model: {arch: mobilenet_v2, width_mult: 0.35, input_size: 32}, data: {dataset: shapes10, limit: 4}}", "jobs:"]
        for number in range(self.jobs):
            needs = self.dice.sample(range(number), min(number, self.dice.choice([0, 0, 1, 2])))
            lines.append(f"  - {{id: j{number}, ranks: {self.dice.randint(1, self.ranks)}, seed: {self.dice.randint(5, 60)}, "
                         f"retries: {self.dice.randint(0, 2)}, needs: [{', '.join(f'j{n}' for n in needs)}]}}")
        return "\n".join(lines) + "\n"

    def submit(self, killer):
        """One `submit`, until it ends or is killed."""
        command = [self.program, "submit", self.folder / "batch.yaml", "--out", self.results, "--ranks", str(self.ranks), "--grace", "5"]
        command += ["--resume"] if self.submits > 0 else []
        self.submits += 1
        environment = dict(os.environ, TMPDIR=str(self.folder), EDGELAB_SPOOL=str(self.folder / "spool"), EDGELAB_PROGRESS="lines")
        with open(self.folder / "log", "ab") as log, \
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as supervisor:
            reader = threading.Thread(target=self.read, args=(supervisor.stderr, log))
            reader.start()
            begin = time.monotonic()
            killer.haunt(supervisor, self.limit)
            try:
                supervisor.wait(max(1, begin + self.limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                below = collections.Counter(kind_of(words) for _, words in processes_below(supervisor.pid))
                supervisor.kill()
                raise Broken(f"submit has not ended in {self.limit} s; below it were {dict(below)}") from None
            reader.join()
        self.check()
        self.done = supervisor.returncode == 0
        return supervisor.returncode

    def read(self, stream, log):
        for line in stream:
            log.write(line)
            match = ENDED.match(line)
            if match:
                self.acknowledged.append((match[1].decode(), match[2].decode()))

    def facts(self):
        """Job facts of the journal, (id, status) in order. A torn last line is none."""
        found = []
        if not self.journal.exists():
            return found
        for line in self.journal.read_bytes().split(b"\n")[:-1]:
            checksum, checked = line[11:75].decode(), line[77:]
            if hashlib.sha256(checked).hexdigest() != checksum:
                raise Broken(f"a line of the journal is damaged: {line[:200]!r}")
            fact = json.loads(line)
            if fact["type"] == "job":
                found.append((fact["body"]["id"], fact["body"]["status"]))
        return found

    def check(self):
        facts = self.facts()
        missing = collections.Counter(self.acknowledged) - collections.Counter(facts)
        if missing:
            raise Broken(f"acknowledged, but not in the journal: {dict(missing)}")
        twice = [job for (job, status), count in collections.Counter(facts).items() if status == "done" and count > 1]
        if twice:
            raise Broken(f"done twice: {twice}")
        if self.results.exists():
            verdict = subprocess.run([self.program, "results", "verify", self.results], capture_output=True, text=True, check=False)
            if verdict.returncode != 0:
                raise Broken(f"the results file is not sound: {verdict.stdout}{verdict.stderr}")

    def check_end(self):
        """Every job is done, in the journal and in the file."""
        done = [job for job, status in self.facts() if status == "done"]
        shown = json.loads(subprocess.run([self.program, "results", "show", "--json", self.results], capture_output=True, check=True).stdout)
        in_file = [job for job, record in shown["jobs"].items() if record["status"] == "done"]
        names = sorted(f"j{number}" for number in range(self.jobs))
        if sorted(done) != names or sorted(in_file) != names or not shown["complete"]:
            raise Broken(f"the batch ended without all jobs: {len(done)} done in the journal, {len(in_file)} in the file, complete: {shown['complete']}")


class Killer:
    """Sends SIGKILL to a random process of a supervised batch after a random time, and again if the supervisor lives on."""

    KINDS = ["rank", "rank", "guard", "mpirun", "supervisor"]

    def __init__(self, dice, kills):
        self.dice, self.left = dice, kills
        self.made = collections.Counter()

    def haunt(self, supervisor, limit):
        end = time.monotonic() + limit
        while self.left > 0 and time.monotonic() < end:
            wait = self.dice.uniform(0, 2.5)
            try:
                supervisor.wait(wait)
                return
            except subprocess.TimeoutExpired:
                pass
            self.strike(supervisor)

    def strike(self, supervisor):
        kind = self.dice.choice(self.KINDS)
        victims = [supervisor.pid] if kind == "supervisor" else [pid for pid, words in processes_below(supervisor.pid) if kind_of(words) == kind]
        if not victims:
            return
        try:
            os.kill(self.dice.choice(sorted(victims)), signal.SIGKILL)
        except ProcessLookupError:
            return
        self.made[kind] += 1
        self.left -= 1


def main():
    parser = argparse.ArgumentParser(description="Kills a supervised batch at random.")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="of one submit")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    dice = random.Random(options.seed)
    killer = Killer(dice, options.kills)
    began, batches, submits, acknowledged = time.monotonic(), 0, 0, 0
    while killer.left > 0:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="edgelab-kill-"))
        batch = Batch(options.program.resolve(), folder, dice, options)
        try:
            while not batch.done:
                batch.submit(killer)
            batch.check_end()
        except Broken as broken:
            print(f"after {sum(killer.made.values())} kills {dict(killer.made)}: {broken}\nkept: {folder}")
            return 1
        shutil.rmtree(folder)
        batches, submits, acknowledged = batches + 1, submits + batch.submits, acknowledged + len(batch.acknowledged)
        print(f"{sum(killer.made.values())} kills {dict(sorted(killer.made.items()))}, {batches} batches done, {submits} submits, "
              f"{acknowledged} records acknowledged, {time.monotonic() - began:.0f} s", flush=True)
    print("0 records lost, 0 jobs done twice, every results file sound")
    return 0


if __name__ == "__main__":
    sys.exit(main())
