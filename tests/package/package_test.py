#!/usr/bin/env python3
"""The Debian package: what it holds and depends on, and that the program in it runs from where it was unpacked.

usage: package_test.py BUILD

Exit status 77 where cpack or dpkg-deb is missing.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def output(*words):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


def expect(truth, what):
    if not truth:
        sys.exit(f"error: {what}")


def make(build, folder):
    # gzip for its speed; what is in it is the same.
    output("cpack", "--config", build / "CPackConfig.cmake", "-G", "DEB", "-B", folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip")
    packages = list(folder.glob("*.deb"))
    expect(len(packages) == 1, f"cpack made {packages}, not one package")
    return packages[0]


def check_fields(package):
    fields = {name: output("dpkg-deb", "--field", package, name).strip() for name in ("Package", "Architecture", "Depends")}
    expect(fields["Package"] == "edgelab", f"the package is named {fields['Package']}")
    architecture = output("dpkg", "--print-architecture").strip()
    expect(fields["Architecture"] == architecture, f"the package is for {fields['Architecture']}, and was built on {architecture}")
    for needed in ("openmpi-bin", "openssh-client", "libc6", "libhdf5-", "libopenmpi"):
        expect(needed in fields["Depends"], f"the package does not depend on {needed}: {fields['Depends']}")


def check_program(root):
    program = root / "usr/bin/edgelab"
    expect(re.match(r"\d+\.\d+\.\d+", output(program, "--version")), "the unpacked program does not tell its version")
    found = output("ldd", program)
    for own in (root / "usr/lib/edgelab").glob("*"):
        expect(f"edgelab/{own.name} (" in found, f"the unpacked program does not load its own {own.name}:\n{found}")
    paths = re.findall(r"R(?:UN)?PATH.*\[(.*)\]", output("readelf", "--dynamic", program))
    expect(all(path.startswith("$ORIGIN") for path in ":".join(paths).split(":")), f"the program looks for libraries outside of its package: {paths}")
    for job in ("demo.yaml", "lab1_mobilenet_edge.yaml", "lab7_vit_cluster.yaml"):
        output(program, "validate", root / "usr/share/edgelab/jobs" / job)


def check_manual(root):
    page = (root / "usr/share/man/man1/edgelab.1").read_text()
    listed = output(root / "usr/bin/edgelab", "--help").split("Subcommands:")[1]
    for command in re.findall(r"^  ([a-z]+) ", listed, re.M):
        expect(f"\n.B {command}\n" in page, f"docs/man/edgelab.1 does not name the command {command}")


def check_service(root):
    unit = root / "usr/lib/systemd/user/edgelab@.service"
    expect(unit.exists(), "the service of a head node is not in the package")
    if shutil.which("systemd-analyze"):
        report = subprocess.run(["systemd-analyze", "verify", "--user", "--man=no", f"{unit.parent}/edgelab@lab7.service"], capture_output=True, text=True, check=False).stderr
        wrong = [line for line in report.splitlines() if "edgelab@" in line and "not executable" not in line]
        expect(not wrong, "systemd finds fault with the service:\n" + "\n".join(wrong))


def main():
    for tool in ("cpack", "dpkg-deb"):
        if not shutil.which(tool):
            print(f"skipped: there is no {tool}")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="edgelab-package-") as folder:
        package = make(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        check_fields(package)
        root = pathlib.Path(folder) / "root"
        output("dpkg-deb", "--extract", package, root)
        check_program(root)
        check_manual(root)
        check_service(root)
    print("the package holds what it should, and its program runs")


if __name__ == "__main__":
    main()
