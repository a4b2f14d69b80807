#!/usr/bin/env python3
"""Cycles of tile_gemm's inner loops on Arm, by llvm-mca, without an Arm.

usage: arm_inner_loops.py [BUILD]

BUILD is the folder of ./lab build aarch64 (build-aarch64). tile_gemm is compiled to assembly by the same command as there; of each
kind of product the innermost loop of the largest tile is taken, and llvm-mca reckons how long a turn takes. The limit is what the same
tool says of the loop's multiplications alone: registers, loads and addresses for nothing. llvm-mca knows no caches: every load
hits L1.

LLVM has a model of the Cortex-A57 for the Cortex-A72, and none of the A76 of its own; the Neoverse N1 is the same core for servers.
Needs llvm-mca 16 or newer (Debian: llvm-19), named in LLVM_MCA or found.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

KINDS = {  # mangled template arguments of multiply_tiles: rows, vectors, enum Products
    "fp32, 6 × 16": ("ILi6ELi4ELNS2_8ProductsE0E", "fmla"),
    "fp32, A transposed, 6 × 16": ("ILi6ELi4ELNS2_8ProductsE1E", "fmla"),
    "int8 by SDOT, 6 × 16": ("ILi6ELi4ELNS2_8ProductsE4E", "sdot"),
    "int8 by SMULL, SMLAL, 4 × 16": ("ILi4ELi4ELNS2_8ProductsE5E", "smlal2?|smull2?"),
    "int8 by SMULL (weights of −128), 4 × 16": ("ILi4ELi4ELNS2_8ProductsE6E", "smull2?"),
}
PROCESSORS = {"Cortex-A72": "cortex-a72", "Cortex-A76 (Neoverse N1)": "neoverse-n1"}


def compiled(build):
    commands = json.loads((build / "compile_commands.json").read_text())
    command = next(entry for entry in commands if entry["file"].endswith("kernels/tile_gemm/simd_targets.cpp"))
    words = shlex.split(command["command"])
    words = words[1:] if words[0].endswith("ccache") else words
    at = words.index("-o")
    with tempfile.TemporaryDirectory() as folder:
        words[at + 1] = str(pathlib.Path(folder) / "tiles.s")
        words[words.index("-c")] = "-S"
        subprocess.run(words, cwd=command["directory"], check=True)
        return pathlib.Path(words[at + 1]).read_text().splitlines()


def function(lines, kind):
    begin = next((i for i, line in enumerate(lines) if re.match(rf"_Z\w*multiply_tiles{kind}\w*:", line)), None)
    if begin is None:
        sys.exit(f"error: tile_gemm has no tile {kind} any more: KINDS in {__file__} names what there is")
    end = next(i for i in range(begin, len(lines)) if lines[i].startswith("\t.size"))
    return lines[begin:end]


def instructions(lines):
    # GCC writes a byte of movi with its sign, which LLVM does not read.
    return [re.sub(r"0xf{14}", "0x", line) for line in lines if re.match(r"\s+[a-z]", line)]


def inner_loop(lines, multiplication):
    """The backward branch whose body has the largest share of multiplications."""
    labels, best = {}, ([], 0.0)
    for i, line in enumerate(lines):
        label, branch = re.match(r"(\.L\w+):", line), re.match(r"\s+(?:b\.?\w*|cbn?z|tbn?z)\s+.*?(\.L\w+)$", line)
        if label:
            labels[label[1]] = i
        elif branch and branch[1] in labels:
            body = instructions(lines[labels[branch[1]]:i + 1])
            share = sum(bool(re.match(rf"\s+(?:{multiplication})\s", x)) for x in body) / len(body)
            best = max(best, (body, share), key=lambda candidate: candidate[1])
    return best[0]


def cycles(tool, processor, body):
    turns = 200
    words = [tool, "-mtriple=aarch64", f"-mcpu={processor}", "-mattr=+dotprod", f"-iterations={turns}", "-"]
    report = subprocess.run(words, input="\n".join(body), text=True, capture_output=True, check=True).stdout
    return int(re.search(r"Total Cycles:\s+(\d+)", report)[1]) / turns, float(re.search(r"Block RThroughput:\s+([\d.]+)", report)[1])


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build-aarch64")
    if not (build / "compile_commands.json").exists():
        sys.exit(f"error: {build} is not the folder of a build; expected what ./lab build aarch64 makes")
    names = [os.environ.get("LLVM_MCA", "")] + [f"llvm-mca-{version}" for version in range(25, 15, -1)]
    tool = next((shutil.which(name) for name in names if name and shutil.which(name)), None)
    if tool is None:
        sys.exit("error: there is no llvm-mca 16 or newer; apt-get install llvm-19, or name one in LLVM_MCA")
    lines = compiled(build)
    print("| loop | instructions | of them multiply | processor | cycles | limit | share of limit |\n|---|---|---|---|---|---|---|")
    for name, (kind, multiplication) in KINDS.items():
        body = inner_loop(function(lines, kind), multiplication)
        multiply = [line for line in body if re.match(rf"\s+(?:{multiplication})\s", line)]
        for title, processor in PROCESSORS.items():
            if "sdot" == multiplication and "A72" in title:
                continue
            took, _ = cycles(tool, processor, body)
            _, limit = cycles(tool, processor, multiply)
            print(f"| {name} | {len(body)} | {len(multiply)} | {title} | {took:.1f} | {limit:.1f} | {100 * limit / took:.0f} % |")


if __name__ == "__main__":
    main()
