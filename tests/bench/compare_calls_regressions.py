#!/usr/bin/env python3
"""Does `edgelab results compare` call a kernel that became slower, and keep quiet about equals? Tried on real processes.

    cmake --build build --target edgelab slower_edgelab
    python3 tests/bench/compare_calls_regressions.py --build build

One comparison is of three sides of one program, tests/bench/slower_edgelab.cpp: in A and B it is as fast as edgelab, in C one
kernel, the matrix product that most layers are made of, takes --slower per cent longer. Each side is --processes processes of one
`bench` job, run by turns in an order drawn anew for each turn. Held against A, C must be called slower in each comparison, with
exit code 1 under --fail-if-slower; B must not be called anything in at least 19 of 20. Nothing else should run meanwhile: with
the default numbers for a quarter of an hour.

--short is for machines that are busy with other things: one comparison of A and C, whose kernel takes twice as long. What
becomes of equals is not asked, since one in twenty comparisons may call them different.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

JOB = """name: regression
jobs:
  - id: speed
    task: bench
    model: {arch: mobilenet_v2, weights: random, input_size: 128}
    measure: {warmup: 3, repeats: 3}
"""


def ran(command, **more):
    return subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)


def measure(build, folder, name, slower_by):
    file = folder / f"{name}.h5"
    ended = ran([build / "slower_edgelab", "run", folder / "job.yaml", "--out", file], env=dict(os.environ, SLOWER_BY=str(slower_by)))
    if ended.returncode != 0:
        sys.exit(f"{name}: exit code {ended.returncode}\n{ended.stderr}")
    return file


def sides(build, folder, options, number):
    """The files of each side."""
    files = {name: [] for name in ("ac" if options.short else "abc")}
    for turn in range(options.processes):
        for side in random.sample(sorted(files), k=len(files)):
            files[side].append(measure(build, folder, f"{number}{side}{turn}", options.slower if side == "c" else 0))
    return files


def compared(build, a, b):
    """The verdict on the median latency, the ratio, and the exit code under --fail-if-slower."""
    ended = ran([build / "edgelab", "results", "compare", *a, "--against", *b, "--json", "--fail-if-slower", 0])
    job = json.loads(ended.stdout)["jobs"]["speed"]
    return job["verdict"], job["latency_p50_ns"]["b"] / job["latency_p50_ns"]["a"], ended.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--comparisons", type=int, default=40)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--slower", type=float, default=10)
    parser.add_argument("--short", action="store_true", help="as --comparisons 1 --slower 100, without B")
    options = parser.parse_args()
    if options.short:
        options.comparisons, options.slower = 1, 100
    build = options.build.resolve()
    false_alarms, found = 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "job.yaml").write_text(JOB)
        measure(build, folder, "first", 0)  # and with it the choice of kernels, which is kept for all that follow
        for number in range(options.comparisons):
            files = sides(build, folder, options, number)
            slower = compared(build, files["a"], files["c"])
            found += slower[0] == "slower" and slower[2] == 1
            text = f"{number + 1}: {options.slower:g} % slower: {slower[0]} ({slower[1]:.3f})"
            if "b" in files:
                equals = compared(build, files["a"], files["b"])
                false_alarms += equals[0] != "can't tell"
                text += f", equals {equals[0]} ({equals[1]:.3f})"
            print(text, flush=True)
    print(f"{options.comparisons} comparisons of {options.processes} processes a side: {options.slower:g} % called slower {found} times"
          + ("" if options.short else f", equals called different {false_alarms} times"))
    return 0 if found == options.comparisons and 20 * false_alarms <= options.comparisons else 1


if __name__ == "__main__":
    sys.exit(main())
