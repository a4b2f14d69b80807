#!/usr/bin/env python3
"""Very many short jobs in one run: memory and descriptors of every rank stay flat. Then what waiting ranks cost: under 2 % of
a core each, counted in processor time, which others on this machine don't add to.

usage: soak_test.py FAULTY_EDGELAB [--jobs N] [--ranks N] [--idle SECONDS]

FAULTY_EDGELAB is tests/support/faulty_edgelab.cpp, whose jobs sleep `seed` milliseconds and compute nothing. Times by the
clock are told, never judged: the machine may be busy with other things.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

# In memory where there is such a place: each job waits for its line to be on disk, and the disk is not what is looked at here.
WHERE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# A worker keeps nothing of a job. What its heap, MPI's pools and threads' stacks settle at comes before a fifth is done.
WORKER_GROWTH_KB = 3 * 1024
# Rank 0 keeps a job's record, and lays the results file out in memory when it writes it: 23 KB a job were measured.
LEADER_GROWTH_KB_A_JOB = 32
IDLE_PERCENT = 2

BATCH = """\
name: soak
defaults: {{task: bench, model: {{arch: mobilenet_v2}}, measure: {{warmup: 0, repeats: 1}}}}
jobs:
"""


def batch_of(jobs):
    """Half of them a sweep, half written out: job files of both kinds are this long."""
    side = max(1, int((jobs / 2) ** 0.5))
    text = BATCH.format()
    text += f"  - id: sweep\n    matrix: {{batch: {list(range(1, side + 1))}, measure.repeats: {list(range(1, side + 1))}}}\n"
    return text + "".join(f"  - id: soak{i}\n" for i in range(jobs - side * side))


class Rank:
    """A process of the run, looked at through /proc."""

    def __init__(self, pid):
        self.pid = pid

    def memory_kb(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise ProcessLookupError(self.pid)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run:
    """mpirun with the batch, its output in a file of its own."""

    def __init__(self, program, text, ranks, folder):
        self.folder = pathlib.Path(folder)
        self.journal = self.folder / "soak.journal"
        self.results = self.folder / "soak.h5"
        self.ranks_wanted = ranks
        (self.folder / "soak.yaml").write_text(text)
        environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")
        self.log = open(self.folder / "log", "wb")
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            ["mpirun", "-n", str(ranks), "--oversubscribe", program, "run", str(self.folder / "soak.yaml"), "--out", str(self.results)],
            stdout=self.log, stderr=self.log, env=environment)
        self.read = 0
        self.ended = 0

    def ranks(self):
        """By rank; waits until all are there."""
        found = {}
        while len(found) < self.ranks_wanted and self.running():
            for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
                for pid in map(int, (task / "children").read_text().split()):
                    try:
                        variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                    except (ProcessLookupError, FileNotFoundError):
                        continue
                    number = [v.split(b"=")[1] for v in variables if v.startswith(b"OMPI_COMM_WORLD_RANK=")]
                    if number:
                        found[int(number[0])] = Rank(pid)
            time.sleep(0.05)
        return [found[number] for number in sorted(found)]

    def running(self):
        return self.process.poll() is None

    def jobs_ended(self):
        if self.journal.exists():
            with open(self.journal, "rb") as journal:
                journal.seek(self.read)
                piece = journal.read()
            self.read += len(piece)
            self.ended += piece.count(b'"type":"job"')
        return self.ended

    def finish(self):
        code = self.process.wait()
        self.log.close()
        if code != 0:
            sys.exit(f"the run ended with {code}:\n{(self.folder / 'log').read_text(errors='replace')[-4000:]}")


def watch(run, jobs):
    """(share of the jobs done, seconds, memory by rank, descriptors by rank), a few times a second."""
    ranks = run.ranks()
    samples = []
    while run.running():
        try:
            samples.append((run.jobs_ended() / jobs, time.monotonic() - run.begin, [rank.memory_kb() for rank in ranks], [rank.descriptors() for rank in ranks]))
        except (ProcessLookupError, FileNotFoundError):
            break  # the run is over
        time.sleep(0.1)
    # A rank that is about to end closes things: what counts is while jobs ran, and one look afterwards for the writer.
    return [sample for sample in samples if 0 < sample[0] < 1]


def at(samples, share):
    return next((sample for sample in samples if sample[0] >= share), samples[-1])


def print_table(samples, jobs):
    ranks = len(samples[0][2])
    print(f"{'jobs':>6} {'seconds':>8}  " + "  ".join(f"rank {r}: MB  fds" for r in range(ranks)))
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        done, seconds, memory, descriptors = at(samples, share)
        cells = "  ".join(f"{memory[r] / 1024:10.1f} {descriptors[r]:4d}" for r in range(ranks))
        print(f"{round(done * jobs):6d} {seconds:8.1f}  {cells}")


def soak(program, jobs, ranks):
    """Problems, or none."""
    with tempfile.TemporaryDirectory(dir=WHERE) as folder:
        run = Run(program, batch_of(jobs), ranks, folder)
        samples = watch(run, jobs)
        run.finish()
        seconds = time.monotonic() - run.begin
        problems = []
        if run.jobs_ended() != jobs:
            problems.append(f"{run.jobs_ended()} of {jobs} jobs are in the journal")
        subprocess.run([program, "results", "verify", str(run.results)], check=True)
        print_table(samples, jobs)
        (first, start, memory_before, _), (last, end, memory_after, _) = at(samples, 0.2), samples[-1]
        between = (last - first) * jobs
        print(f"{seconds:.1f} s in all; {between / max(end - start, 1e-9):.0f} jobs/s after the first fifth; "
              f"results {run.results.stat().st_size / 2**20:.1f} MB, journal {run.journal.stat().st_size / 2**20:.1f} MB")
        for rank in range(1, ranks):
            growth = memory_after[rank] - memory_before[rank]
            if growth > WORKER_GROWTH_KB:
                problems.append(f"rank {rank} grew by {growth} KB over {between:.0f} jobs, expected at most {WORKER_GROWTH_KB}")
        growth = (memory_after[0] - memory_before[0]) / between
        print(f"rank 0 grew by {growth:.1f} KB a job")
        if growth > LEADER_GROWTH_KB_A_JOB:
            problems.append(f"rank 0 grew by {growth:.1f} KB a job, expected at most {LEADER_GROWTH_KB_A_JOB}")
        late = [sample[3] for sample in samples if sample[0] >= 0.2]
        for rank in range(ranks):
            counts = sorted({descriptors[rank] for descriptors in late})
            # The results file and its folder are open while they are written.
            if counts[-1] - counts[0] > (2 if rank == 0 else 0):
                problems.append(f"rank {rank} held {counts[0]} to {counts[-1]} descriptors")
        return problems


def idle_cost(program, ranks, seconds):
    """Problems, or none. One rank has a job, which sleeps; the others have none."""
    with tempfile.TemporaryDirectory(dir=WHERE) as folder:
        run = Run(program, BATCH.format() + f"  - {{id: sleeper, seed: {1000 * (seconds + 8)}}}\n", ranks, folder)
        found = run.ranks()
        while run.running() and b"sleeper: started" not in (run.folder / "log").read_bytes():
            time.sleep(0.1)
        time.sleep(2)
        before = [rank.cpu_seconds() for rank in found]
        begin = time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - begin
        shares = [100 * (rank.cpu_seconds() - earlier) / passed for rank, earlier in zip(found, before)]
        run.finish()
    print(f"waiting for {passed:.0f} s cost " + ", ".join(f"{share:.2f} % of a core on rank {rank}" for rank, share in enumerate(shares)))
    return [f"rank {rank} took {share:.2f} % of a core while it waited, expected at most {IDLE_PERCENT}" for rank, share in enumerate(shares) if share > IDLE_PERCENT]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--idle", type=int, default=5, metavar="SECONDS")
    arguments = parser.parse_args()
    problems = soak(arguments.program, arguments.jobs, arguments.ranks)
    if arguments.idle > 0:
        problems += idle_cost(arguments.program, arguments.ranks, arguments.idle)
    for problem in problems:
        print(f"error: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
