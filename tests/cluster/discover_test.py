#!/usr/bin/env python3
"""cluster/discover.sh makes a host file of what avahi-browse tells. usage: discover_test.py EDGELAB

avahi-browse is one of ours, which prints the lines of Debian's (avahi-utils 0.8).
"""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
EDGELAB = ""
# As --resolve --parsable has it: found, then resolved; on two interfaces, by both protocols; a name that no host has.
LINES = r"""+;eth0;IPv4;pi2;_ssh._tcp;local
+;eth0;IPv6;pi2;_ssh._tcp;local
=;eth0;IPv6;pi2;_ssh._tcp;local;pi2.local;fe80::ba27:ebff:fe00:2;22;
=;eth0;IPv4;pi2;_ssh._tcp;local;pi2.local;192.168.1.12;22;
=;wlan0;IPv4;pi2;_ssh._tcp;local;pi2.local;192.168.1.22;22;
=;eth0;IPv4;Anna\226\128\153s\032NAS;_ssh._tcp;local;nas.local;192.168.1.5;22;"model=x"
=;eth0;IPv4;bad;_ssh._tcp;local;$(reboot).local;192.168.1.6;22;
=;eth0;IPv4;HERE;_ssh._tcp;local;HERE.local;192.168.1.11;22;
"""


class Discover(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.bin = pathlib.Path(self.folder.name)
        self.answers(LINES.replace("HERE", socket.gethostname()))

    def tearDown(self):
        self.folder.cleanup()

    def answers(self, lines, code=0):
        (self.bin / "lines").write_text(lines)
        program = self.bin / "avahi-browse"
        program.write_text(f"#!/bin/sh\ncat {self.bin}/lines\nexit {code}\n")
        program.chmod(0o755)

    def discover(self, *arguments):
        return subprocess.run([SOURCE / "cluster/discover.sh", *arguments], env=dict(os.environ, PATH=f"{self.bin}:{os.environ['PATH']}"),
                              text=True, capture_output=True, check=False)

    def test_every_machine_once_and_this_one_first(self):
        result = self.discover("--user", "pi")
        self.assertEqual(result.returncode, 0, result.stderr)
        hosts = [line for line in result.stdout.splitlines() if "name:" in line]
        self.assertEqual(hosts, [f"    - {{name: {name}.local, ranks: 4, user: pi}}" for name in (socket.gethostname(), "nas", "pi2")])

    def test_the_program_takes_what_it_prints(self):
        file = self.bin / "hosts.yaml"
        file.write_text(self.discover("--prefix", "pi", "--ranks", "1").stdout)
        listed = subprocess.run([EDGELAB, "doctor", "--list", "--hosts", file], text=True, capture_output=True, check=False)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn("pi2.local", listed.stdout)
        self.assertNotIn("nas", listed.stdout)

    def test_nobody_and_no_daemon_are_told_apart(self):
        self.answers("")
        self.assertIn("nobody announces", self.discover().stderr)
        self.answers("", 1)
        result = self.discover()
        self.assertEqual(result.returncode, 1)
        self.assertIn("avahi-daemon", result.stderr)

    def test_wrong_usage(self):
        for arguments in ("--ranks", "0"), ("--user", "a b"), ("--what",):
            self.assertEqual(self.discover(*arguments).returncode, 2, arguments)


if __name__ == "__main__":
    EDGELAB = os.path.abspath(sys.argv.pop(1))
    unittest.main()
