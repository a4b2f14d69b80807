#!/usr/bin/env python3
"""An emulated cluster comes up, runs a split model, loses a host or a link, and goes without a trace.

usage: emulate_test.py EDGELAB FAULTY_EDGELAB

FAULTY_EDGELAB is tests/support/faulty_edgelab.cpp, whose jobs sleep.

Exit code 77 where this kernel or user can make no namespaces; what else is lacking (a rate for links, quotas) is told, and the
rest goes on without it.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
EMULATE = str(SOURCE / "cluster/emulate.sh")
EDGELAB = FAULTY = ""
NAME = "probe"
FOLDER = pathlib.Path("/run/edgelab-emulated", NAME)
LIMITS = ["--link", "200mbit", "--cpu", "0.5,0.25"]
SKIPPED = 77

JOB = """\
name: crossing
defaults:
  task: infer
  data: {dataset: shapes10, limit: 6}
  model: {arch: vit_tiny_patch16_224, weights: random, img_size: 32, patch_size: 8, depth: 3, embed_dim: 48, num_heads: 6}
  measure: {warmup: 0, repeats: 1}
jobs:
  - id: serial
  - id: pipeline
    needs: [serial]
    ranks: 2
    parallel: {strategy: pipeline}
    expect:
      - outputs_match: {job: serial, rtol: 1e-3}
"""


# One that needs both hosts, and more than one host does before the other one is found to be lost.
NIGHT = """\
name: night
defaults: {task: evaluate, model: {arch: mobilenet_v2, input_size: 32}, data: {dataset: shapes10, limit: 4}, seed: 4000}
jobs:
  - {id: a}
  - {id: b}
  - {id: wide, ranks: 2, needs: [a, b]}
  - {id: c, needs: [a]}
  - {id: d, needs: [b]}
  - {id: e, needs: [c]}
  - {id: f, needs: [d]}
"""
NARROW = ["c", "d", "e", "f"]


# Three hosts, of which every two talk in every block; the first job would go on for hours.
# Passes of many samples: between two of them all ranks wait for all, which names nobody.
STALLED = """\
name: stalled
defaults:
  task: infer
  data: {dataset: shapes10, limit: 600}
  model: {arch: vit_tiny_patch16_224, weights: random, img_size: 32, patch_size: 8, depth: 3, embed_dim: 48, num_heads: 6}
  ranks: 3
  parallel: {strategy: sequence}
jobs:
  - {id: stalled, measure: {warmup: 0, repeats: 1000000}, time_limit: 15s}
  - {id: after, measure: {warmup: 0, repeats: 1}}
"""


def emulate(*arguments, **options):
    return subprocess.run([EMULATE, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False, **options)


def on_host(host, command):
    return emulate("exec", host, command)


def up(*options, hosts=2):
    """Brings the cluster up with the limits that this kernel has."""
    result = emulate("up", "--name", NAME, "--hosts", str(hosts), *options)
    if result.returncode != 0:
        raise AssertionError(f"up failed with {result.returncode}: {result.stdout}")


def traces():
    """What a cluster could leave behind: mounts, cgroups, devices, files, processes."""
    found = [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if f"edgelab-emulated/{NAME}" in line]
    found += [str(path) for path in pathlib.Path("/sys/fs/cgroup").glob(f"**/edgelab-{NAME}")]
    found += [name for name in os.listdir("/sys/class/net") if name.startswith(NAME)]
    return found + ([str(FOLDER)] if FOLDER.exists() else [])


class EmulatedCluster(unittest.TestCase):
    def tearDown(self):
        emulate("down", "--name", NAME)
        self.assertEqual(traces(), [])

    def test_hosts_have_names_networks_and_processors_of_their_own(self):
        up(*LIMITS)
        for host, cores in ("probe1", 0.5), ("probe2", 0.25):
            self.assertEqual(on_host(host, "hostname").stdout, host + "\n")
            self.assertEqual(on_host(host, "ls /sys/class/net").stdout.split(), ["eth0", "lo"])
            if LIMITS[3] != "none":
                quota = on_host(host, "cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us")
                allowed, period = quota.stdout.split()
                self.assertEqual(float(allowed) / float(period), cores)
            if LIMITS[1] != "none":
                self.assertIn("rate 200Mbit", on_host(host, "tc qdisc show dev eth0").stdout)
        self.assertEqual(on_host("probe2", "exit 7").returncode, 7)
        self.assertEqual(emulate("exec", "someone@probe1", "cat", input="typed").stdout, "typed")

    def test_up_again_changes_nothing_and_other_settings_make_it_anew(self):
        up(*LIMITS)
        first = (FOLDER / "probe1.net").stat().st_ino
        up(*LIMITS)
        self.assertEqual((FOLDER / "probe1.net").stat().st_ino, first)
        up("--link", "none", "--cpu", "none")
        self.assertIn("links none", emulate("status", "--name", NAME).stdout)

    def test_down_ends_what_runs_there_and_up_with_other_settings_does_not(self):
        up(*LIMITS)
        with subprocess.Popen([EMULATE, "exec", "probe2", "sleep 1000"]) as sleeper:
            while on_host("probe2", "pgrep -x sleep").returncode != 0 and sleeper.poll() is None:
                time.sleep(0.05)
            refused = emulate("up", "--name", NAME, "--hosts", "3", "--link", "none", "--cpu", "none")
            self.assertEqual(refused.returncode, 1, refused.stdout)
            self.assertIn("programs run", refused.stdout)
            self.assertIsNone(sleeper.poll())
            self.assertEqual(emulate("down", "--name", NAME).returncode, 0)
            self.assertNotEqual(sleeper.wait(timeout=60), 0)
        self.assertEqual(emulate("down", "--name", NAME).returncode, 0)

    def test_down_removes_what_an_up_that_was_killed_left(self):
        for last in "switch.net", "probe1.uts", "probe2.net":
            with subprocess.Popen([EMULATE, "up", "--name", NAME, "--hosts", "2", *LIMITS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as builder:
                while not (FOLDER / last).exists() and builder.poll() is None:
                    pass
                builder.kill()
            emulate("down", "--name", NAME)
            self.assertEqual(traces(), [], last)

    def test_doctor_measures_every_link(self):
        up(*LIMITS)
        result = on_host("probe1", f"{EDGELAB} doctor --json --links --hosts {FOLDER}/hosts.yaml")
        report = json.loads(result.stdout)
        told = [f"{finding['host']} {finding['text']}" for finding in report["findings"] if finding["level"] == "bad"]
        self.assertEqual((result.returncode, told), (0, []))
        self.assertEqual([(link["from"], link["to"]) for link in report["links"]], [("probe1", "probe2"), ("probe2", "probe1")])
        for link in report["links"]:
            self.assertGreater(link["latency_ns"], 0)

    def test_a_split_model_runs_over_it_under_mpirun_and_submit(self):
        up(*LIMITS)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="edgelab-emulate-"))
        try:
            (folder / "job.yaml").write_text(JOB)
            for start in f"mpirun -n 2 --hostfile {FOLDER}/hosts {EDGELAB} run", f"{EDGELAB} submit --hosts {FOLDER}/hosts.yaml":
                before = int(on_host("probe2", "cat /sys/class/net/eth0/statistics/rx_bytes").stdout)
                result = on_host("probe1", f"{start} {folder}/job.yaml --out {folder}/run.h5")
                self.assertEqual(result.returncode, 0, result.stdout)
                after = int(on_host("probe2", "cat /sys/class/net/eth0/statistics/rx_bytes").stdout)
                shown = subprocess.run([EDGELAB, "results", "show", "--json", folder / "run.h5"], stdout=subprocess.PIPE, check=True)
                run = json.loads(shown.stdout)
                self.assertEqual(sorted(run["hosts"]), ["probe1", "probe2"])
                for host in run["hosts"].values():
                    self.assertIn(f"links {LIMITS[1]}", host["emulated"])
                self.assertEqual(run["jobs"]["pipeline"]["status"], "done")
                ranks = run["jobs"]["pipeline"]["ranks"]
                self.assertEqual([ranks[rank]["host"] for rank in ("0", "1")], ["probe1", "probe2"])
                self.assertGreater(ranks["1"]["bytes_received"], 6 * 17 * 48 * 4 - 1, "six images of 17 tokens")
                self.assertGreater(after - before, ranks["1"]["bytes_received"], "they went through its cable")
        finally:
            shutil.rmtree(folder)


class LostHost(unittest.TestCase):
    """probe2's cable is pulled while a supervised batch runs."""

    def setUp(self):
        up("--link", "none", "--cpu", "none")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="edgelab-emulate-"))
        (self.folder / "night.yaml").write_text(NIGHT)
        # exec needs no network; this is a remote shell that does.
        shell = self.folder / "shell"
        shell.write_text(f"#!/bin/sh\n[ $1 = probe2 ] && [ -e {self.folder}/pulled ] && exit 255\nexec {EMULATE} exec \"$@\"\n")
        shell.chmod(0o700)
        self.shell = shell

    def tearDown(self):
        emulate("down", "--name", NAME)
        shutil.rmtree(self.folder)

    def pull(self):
        (self.folder / "pulled").touch()
        subprocess.run(["nsenter", f"--net={FOLDER}/switch.net", "ip", "link", "set", "probe2", "down"], check=True)

    def plug_in(self):
        subprocess.run(["nsenter", f"--net={FOLDER}/switch.net", "ip", "link", "set", "probe2", "up"], check=True)
        (self.folder / "pulled").unlink()

    def submit(self, options):
        command = (f"EDGELAB_RSH={self.shell} OMPI_MCA_plm_rsh_agent={self.shell} PRTE_MCA_plm_ssh_agent={self.shell} EDGELAB_SPOOL={self.folder}/spool "
                   f"EDGELAB_PROGRESS=lines {FAULTY} submit --hosts {FOLDER}/hosts.yaml {self.folder}/night.yaml --out {self.folder}/run.h5 {options} >{self.folder}/log 2>&1")
        return subprocess.Popen([EMULATE, "exec", "probe1", command])

    def log(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def wait_for(self, what, process, seconds=120):
        until = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), until, self.log())
            self.assertIsNone(process.poll(), self.log())
            time.sleep(0.1)

    def journal(self, kind):
        """Bodies of the facts of a kind."""
        journal = self.folder / "run.journal"
        lines = journal.read_text(errors="replace").split("\n")[:-1] if journal.exists() else []
        return [json.loads(line)["body"] for line in lines if f'"type":"{kind}"' in line]

    def started_on(self, host):
        return any(host in start["hosts"] for start in self.journal("start"))

    def jobs(self):
        shown = subprocess.run([EDGELAB, "results", "show", "--json", self.folder / "run.h5"], stdout=subprocess.PIPE, check=True)
        return json.loads(shown.stdout)["jobs"]

    def test_what_fits_goes_on_without_it_and_it_is_taken_back(self):
        with self.submit("") as batch:
            self.wait_for(lambda: self.started_on("probe2"), batch)
            self.pull()
            self.wait_for(lambda: "probe2 is left out: it can't be reached; for now" in self.log(), batch)
            self.plug_in()
            self.assertEqual(batch.wait(timeout=180), 0, self.log())
        self.assertIn("probe2 answers again", self.log(), "found out while jobs that fit ran")
        jobs = self.jobs()
        self.assertEqual({job: record["status"] for job, record in jobs.items()}, dict.fromkeys(["a", "b", "wide", *NARROW], "done"))
        self.assertEqual({record["attempts"] for record in jobs.values()}, {1}, "a lost host is no job's fault")

    def test_the_batch_ends_with_what_is_left_when_patience_is_over(self):
        with self.submit("--host-patience 0") as batch:
            self.wait_for(lambda: self.started_on("probe2"), batch)
            self.pull()
            self.assertEqual(batch.wait(timeout=180), 1, self.log())
        jobs = self.jobs()
        self.assertEqual({job: jobs[job]["status"] for job in ("a", "b", *NARROW)}, dict.fromkeys(["a", "b", *NARROW], "done"))
        self.assertEqual(jobs["wide"]["status"], "skipped")
        self.assertIn("for good", self.log())


class StalledLink(unittest.TestCase):
    """What probe2 and probe3 send each other gets lost for a while; both still reach probe1."""

    def setUp(self):
        up("--link", "none", "--cpu", "none", hosts=3)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="edgelab-emulate-"))
        (self.folder / "job.yaml").write_text(STALLED)

    def tearDown(self):
        emulate("down", "--name", NAME)
        shutil.rmtree(self.folder)

    def link(self, what):
        addresses = dict(line.split()[:2] for line in (FOLDER / "table").read_text().splitlines())
        for here, there in ("probe2", "probe3"), ("probe3", "probe2"):
            result = on_host(here, f"ip route {what} blackhole {addresses[there]}/32")
            self.assertEqual(result.returncode, 0, result.stdout)

    def is_measured(self):
        """Layers and links have been timed before, and the ranks talk to each other."""
        queue = on_host("probe1", f"EDGELAB_SPOOL={self.folder}/spool {EDGELAB} queue --json 2>/dev/null")
        return queue.returncode == 0 and any(row["text"] == "measuring" for batch in json.loads(queue.stdout) for row in batch["rows"])

    def test_is_named_and_jobs_go_on_when_it_is_back(self):
        journal = self.folder / "run.journal"
        command = [EMULATE, "exec", "probe1", f"EDGELAB_SPOOL={self.folder}/spool {EDGELAB} submit --hosts {FOLDER}/hosts.yaml {self.folder}/job.yaml --out {self.folder}/run.h5"]
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as batch:
            until = time.monotonic() + 60
            while not self.is_measured():
                self.assertLess(time.monotonic(), until)
                time.sleep(0.1)
            self.link("add")
            until = time.monotonic() + 60
            while "ran past its time_limit" not in journal.read_text(errors="replace"):
                self.assertLess(time.monotonic(), until)
                time.sleep(0.1)
            self.link("del")
            log = batch.communicate(timeout=180)[0]
        self.assertEqual(batch.returncode, 1, log)
        shown = subprocess.run([EDGELAB, "results", "show", "--json", self.folder / "run.h5"], stdout=subprocess.PIPE, check=True)
        jobs = json.loads(shown.stdout)["jobs"]
        self.assertEqual(jobs["stalled"]["status"], "failed")
        self.assertRegex(jobs["stalled"]["reason"], r"time_limit of 15 s; rank 1 on probe2 and rank 2 on probe3 waited [\d.]+ s for each other")
        self.assertEqual(jobs["after"]["status"], "done", log)


def main():
    global EDGELAB, FAULTY
    EDGELAB, FAULTY = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
    possible = subprocess.run(["unshare", "--net", "--uts", "true"], text=True, capture_output=True, check=False)
    if possible.returncode != 0:
        print(f"skipped: no namespaces can be made here: {possible.stderr.strip()}")
        return SKIPPED
    for option in "--link", "--cpu":
        tried = emulate("up", "--name", NAME, "--hosts", "2", "--link", "none", "--cpu", "none", option, LIMITS[LIMITS.index(option) + 1])
        if tried.returncode != 0:
            print(f"without {option}: {tried.stdout}")
            LIMITS[LIMITS.index(option) + 1] = "none"
    emulate("down", "--name", NAME)
    return 0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
