#!/usr/bin/env python3
"""Do the checks of the documents find what they are for? usage: checkers_test.py SOURCE BUILD"""
import pathlib
import sys
import tempfile
import unittest

from handbook_tables import labs_left_out, stale_rows
from shell_commands import shell_problems

SOURCE, BUILD = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])


class Shell(unittest.TestCase):
    def problems(self, text):
        return list(shell_problems(text, SOURCE, BUILD))

    def test_good_commands_pass(self):
        self.assertEqual(self.problems("for host in pi1 pi2; do ssh pi@$host edgelab/bin/edgelab data fetch cifar10; done\n"
                                       "bin/edgelab submit --hosts configs/cluster/pi4.yaml jobs/demo.yaml --set a=1 --out r.h5  # some day\n"
                                       "edgelab --version && ./lab hosts configs/cluster/pi4.yaml --packages\n"
                                       "cluster/emulate.sh exec emu1 build/edgelab results show --layers r.h5\n"), [])

    def test_what_bash_cannot_read(self):
        self.assertIn("bash can't read it", self.problems("for host in pi1; do ssh $host\n")[0])

    def test_unknown_options_and_commands(self):
        for text, problem in {
            "build/edgelab run FILE --ot r.h5": "`edgelab run` has no --ot",
            "edgelab results shwo r.h5": "`edgelab results` has no `shwo`",
            "ssh pi1 'true'; edgelab/bin/edgelab frob": "`edgelab` has no `frob`",
            "./lab biuld": "`./lab` has no `biuld`",
            "./lab hosts configs/cluster/pi4.yaml --package": "`cluster/provision.sh` has no --package",
            "sudo cluster/emulate.sh up --hots 4": "`cluster/emulate.sh` has no --hots",
            "cluster/emulate.sh exec emu1 build/edgelab doctor --linsk": "`edgelab doctor` has no --linsk",
        }.items():
            self.assertEqual(self.problems(text), [problem])

    def test_files_that_are_not_in_the_checkout(self):
        self.assertEqual(self.problems("edgelab validate jobs/lab99.yaml"), ["there is no jobs/lab99.yaml"])


class Handbook(unittest.TestCase):
    JOB = ("name: lab1\ndefaults:\n  data: {dataset: cifar10, limit: 64}  # a few\njobs:\n  - id: speed\n    task: bench\n    expect:\n"
           "      - speedup_over: {job: slow, at_least: 2}\n")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.source = pathlib.Path(self.folder.name)
        (self.source / "jobs").mkdir()
        (self.source / "jobs/lab1.yaml").write_text(self.JOB)

    def tearDown(self):
        self.folder.cleanup()

    def stale(self, fragment):
        page = self.source / "lab1.md"
        page.write_text(f"# Lab 1\n\njobs/lab1.yaml\n\n## The job file, line by line\n\n| in the file | what |\n|---|---|\n| {fragment} | this |\n\n## Exercises\n")
        return list(stale_rows(self.source, page))

    def test_rows_that_the_job_file_has(self):
        for fragment in ("`id: speed`, `task: bench`", "`data: {… limit: 64}`", "`expect: speedup_over: {job: slow, …}`", "`data: …`"):
            self.assertEqual(self.stale(fragment), [])

    def test_rows_that_it_has_not(self):
        for fragment in ("`id: speedy`", "`data: {… limit: 6}`", "`speedup_over: {job: slow, at_least: 3}`", "`dataset: cifar10, few`"):
            self.assertEqual(len(self.stale(fragment)), 1, fragment)

    def test_labs_that_readme_leaves_out(self):
        (self.source / "README.md").write_text("jobs/lab1.yaml")
        self.assertEqual(list(labs_left_out(self.source)), [])
        (self.source / "jobs/lab2.yaml").write_text("")
        self.assertEqual(len(list(labs_left_out(self.source))), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
