#!/usr/bin/env python3
"""Instructions that edgelab and XNNPACK execute for an image on a Raspberry Pi's cores, counted under qemu-user on one thread.

    ./lab build aarch64 bench_model
    python3 tests/bench/instructions/export_models.py MODELS
    python3 tests/bench/instructions/beside_xnnpack.py --edgelab build-aarch64/bench_model --executorch WHEEL
        --models MODELS --qemu-plugin-header FOLDER --root "$(cluster/setup.sh --aarch64 --prefix | head -n 1)"

XNNPACK is that of ExecuTorch: WHEEL is the folder where its wheel for aarch64 was unpacked (`pip download --no-deps --platform
manylinux_2_28_aarch64 --only-binary :all: executorch`). FOLDER holds qemu-plugin.h of the qemu that runs (in its source,
include/qemu). A count is that of four calls less that of two, halved. What takes how long on a board is not said by it.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# What of export_models.py's is held against each model and precision of ours.
CASES = {
    ("mobilenet_v2", "fp32"): ["fp32"],
    ("mobilenet_v2", "int8"): ["int8"],
    ("deit_tiny_patch16_224", "fp32"): ["fp32"],
    ("deit_tiny_patch16_224", "int8"): ["int8", "int8-dynamic"],
}


def build_plugin(header, folder):
    flags = subprocess.run(["pkg-config", "--cflags", "glib-2.0"], capture_output=True, text=True, check=False).stdout.split()
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", *flags, f"-I{header}", HERE / "count.c", "-o", folder / "count.so"], check=True)
    return folder / "count.so"


def build_executorch(wheel, folder):
    include, library = wheel / "executorch/include", wheel / "executorch/lib"
    names = ["executorch", "executorch_threadpool", "executorch_backend_xnnpack", "executorch_kernels_optimized", "executorch_kernels_quantized"]
    subprocess.run(["aarch64-linux-gnu-g++", "-std=c++17", "-O2", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS", f"-I{include}", f"-I{include}/executorch/runtime/core/portable_type/c10",
                    HERE / "executorch_model.cpp", "-o", folder / "executorch_model", f"-L{library}", "-Wl,--no-as-needed", *(f"-l{name}" for name in names), f"-Wl,-rpath,{library}"], check=True)
    return folder / "executorch_model"


class Counter:
    def __init__(self, plugin, root, cpu):
        self.prefix = ["qemu-aarch64", "-L", root, "-cpu", cpu, "-plugin", plugin]

    def run(self, command, said=""):
        ended = subprocess.run([*map(str, self.prefix + command)], input=said, capture_output=True, text=True, check=False)
        counted = re.search(r"^instructions (\d+)$", ended.stderr, re.M)
        if ended.returncode != 0 or not counted:
            sys.exit(f"{' '.join(map(str, command))}: exit code {ended.returncode}\n{ended.stdout[-500:]}{ended.stderr[-1500:]}")
        return int(counted[1])

    def edgelab(self, program, model, precision):
        command = [program, model, precision, 1, 1, "unmeasured"]  # time under qemu would choose other kernels than a board's
        return (self.run(command, "calls 4\n") - self.run(command, "calls 2\n")) / 2

    def executorch(self, program, file):
        return (self.run([program, file, 4]) - self.run([program, file, 2])) / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("edgelab", "executorch", "models", "qemu-plugin-header", "root"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--cpus", nargs="+", default=["cortex-a72", "cortex-a76"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgelab-instructions-") as name:
        folder = pathlib.Path(name)
        plugin = build_plugin(options.qemu_plugin_header, folder)
        executorch = build_executorch(options.executorch.resolve(), folder)
        print("| model | precision | processor | edgelab, million | XNNPACK, million | ratio |\n|---|---|---|---|---|---|")
        for cpu in options.cpus:
            counter = Counter(plugin, options.root, cpu)
            for (model, precision), exported in CASES.items():
                own = counter.edgelab(options.edgelab, model, precision)
                for kind in exported:
                    theirs = counter.executorch(executorch, options.models / f"{model}-{kind}.pte")
                    print(f"| {model} | {kind} | {cpu} | {own / 1e6:.1f} | {theirs / 1e6:.1f} | {own / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
