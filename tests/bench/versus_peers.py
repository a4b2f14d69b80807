#!/usr/bin/env python3
"""edgelab beside OpenVINO, ONNX Runtime and PyTorch: the same models, the same machine, by turns.

    cmake --build build --target bench_model bench_training bench_attention bench_tile_gemm
    python3 tests/bench/versus_peers.py --build build --peers /path/to/python --json peers.json --markdown table.md

--peers is the interpreter that has the peers (torch, torchvision, timm, onnx, onnxruntime, openvino, and nncf for int8); what it lacks is said to be
missing. Each contestant is a process of its own. In every round each of them is asked, one after the other, for the median
milliseconds of as many calls as fit into --seconds; the figure is the median over rounds. So whatever else the machine does
meets all alike: only ratios are worth reading. The limit is what the matrix-product kernel reaches from cache, on one
thread at the beginning and at the end of the same run, times the number of threads.

This script needs nothing but Python; with --serve it is the peer's process.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

TIMM = {"deit_tiny": "deit_tiny_patch16_224", "deit_small": "deit_small_patch16_224"}
EDGELAB = {"mobilenet_v2": "mobilenet_v2", **TIMM}


# ---- the peer's process: "ready", then the protocol of on_request.hpp ----

def peak_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def answer(call):
    print("ready 0", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "peak":
            print(peak_bytes(), flush=True)
            continue
        call()
        times, begin = [], time.perf_counter()
        while len(times) < 3 or time.perf_counter() - begin < float(words[1]):
            before = time.perf_counter()
            call()
            times.append(1e3 * (time.perf_counter() - before))
        print(statistics.median(times), flush=True)


def torch_model(name):
    import torch
    torch.manual_seed(0)
    if name == "mobilenet_v2":
        import torchvision
        return torchvision.models.mobilenet_v2(num_classes=1000).eval()
    import timm
    return timm.create_model(TIMM[name], num_classes=1000).eval()


def export(name, batch, path):
    import torch
    torch.onnx.export(torch_model(name), (torch.randn(batch, 3, 224, 224),), path, input_names=["x"], output_names=["y"], dynamo=False,
                      opset_version=17)


def serve_torch(name, precision, batch, threads, _):
    import torch
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    form = torch.channels_last if name.endswith("@channels_last") else torch.contiguous_format
    model = torch_model(name.split("@")[0]).to(dtype=dtype, memory_format=form)
    x = torch.randn(batch, 3, 224, 224).to(dtype=dtype, memory_format=form)

    def call():
        with torch.inference_mode():
            model(x)
    return call


def serve_train(name, precision, batch, threads, _):
    import torch
    torch.set_num_threads(threads)
    form = torch.channels_last if name.endswith("@channels_last") else torch.contiguous_format
    model = torch_model(name.split("@")[0]).train().to(memory_format=form)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    x = torch.randn(batch, 3, 224, 224).to(memory_format=form)
    labels = torch.arange(batch)

    def call():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
    return call


def serve_sdpa(cell, precision, _batch, threads, _path):
    import torch
    torch.set_num_threads(threads)
    tokens, heads, width = (int(part) for part in cell.split("x"))
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    # Contiguous per head: what SDPA likes best. edgelab reads the projection's output as it lies.
    q, k, v = (torch.randn(1, heads, tokens, width).to(dtype) for _ in range(3))

    def call():
        with torch.inference_mode():
            torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return call


def noise(batch):
    import numpy
    return numpy.random.randn(batch, 3, 224, 224).astype(numpy.float32)


def onnx_in_integers(path, batch, folder):
    """Static quantization with its own nodes for integers (QDQ), a scale an output channel."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.images = iter([{"x": noise(batch)} for _ in range(2)])

        def get_next(self):
            return next(self.images, None)

    quant_pre_process(path, f"{folder}/before.onnx")
    quantize_static(f"{folder}/before.onnx", f"{folder}/int8.onnx", Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return f"{folder}/int8.onnx"


def serve_onnxruntime(_name, precision, batch, threads, path):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        model = onnx_in_integers(path, batch, folder) if precision == "int8" else path
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = noise(batch)
    return lambda: session.run(None, {"x": x})


def openvino_in_integers(model, name, batch):
    import nncf
    kind = nncf.ModelType.TRANSFORMER if name != "mobilenet_v2" else None
    return nncf.quantize(model, nncf.Dataset([noise(batch) for _ in range(2)]), model_type=kind, subset_size=2)


def serve_openvino(name, precision, batch, threads, path):
    import openvino
    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"})
    model = core.read_model(path)
    if precision == "int8":
        model = openvino_in_integers(model, name.split("@")[0], batch)
    # What is left of a model in integers is faster in bf16 on some machines.
    rest = "bf16" if precision == "bf16" or name.endswith("@bf16") else "f32"
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": rest})
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(noise(batch), shared_memory=False))
    return request.infer


def serve(library, name, precision, batch, threads, path):
    try:
        if library == "export":
            export(name, int(batch), path)
            print("ready 0", flush=True)
            return
        server = {"torch": serve_torch, "sdpa": serve_sdpa, "train": serve_train, "onnxruntime": serve_onnxruntime, "openvino": serve_openvino}[library]
        call = server(name, precision, int(batch), int(threads), path)
    except ImportError as error:
        print(f"missing {error}", flush=True)
        return
    answer(call)


# ---- the side that asks ----

class Contestant:
    """A process that measures when asked."""

    def __init__(self, label, command, threads):
        self.label, self.times, self.reason = label, [], ""
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=environment)
        first = self.read()
        self.flop = float(first.split()[1]) if first.startswith("ready") else 0.0
        if not first.startswith("ready"):
            self.reason = first[len("missing "):] if first.startswith("missing") else "its process ended before it was ready"

    def read(self):
        for line in self.process.stdout:
            if line.startswith(("ready", "missing")) or line[0].isdigit():
                return line.strip()
        return ""

    def ask(self, request):
        try:
            print(request, file=self.process.stdin, flush=True)
            return float(self.read())
        except (BrokenPipeError, ValueError):
            self.reason = self.reason or "its process ended"
            return None

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Cell:
    """One row of the table: all contestants for one piece of work."""

    def __init__(self, kind, name, precision, batch, threads):
        self.kind, self.name, self.precision, self.batch, self.threads = kind, name, precision, batch, threads

    def title(self):
        return f"{self.name} {self.precision} batch {self.batch}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def commands(self, options, models):
        peer = [options.peers, os.path.abspath(__file__), "--serve"] if options.peers else None
        if self.kind == "attention":
            tokens, heads, width = self.name.split("x")
            yield "edgelab", [f"{options.build}/bench_attention", f"--threads={self.threads}",
                              f"--on_request={self.precision}/{tokens}/heads{heads}x{width}/flash"]
            if peer:
                yield "PyTorch", peer + ["sdpa", self.name, self.precision, "1", str(self.threads), "-"]
            return
        if self.kind == "training":
            yield "edgelab", [f"{options.build}/bench_training", EDGELAB[self.name], self.precision, str(self.batch), str(self.threads)]
            for form in ["", "@channels_last"] if peer else []:
                label = "PyTorch" + form.replace("@", " ")
                yield label, peer + ["train", self.name + form, self.precision, str(self.batch), str(self.threads), "-"]
            return
        yield "edgelab", [f"{options.build}/bench_model", EDGELAB[self.name], self.precision, str(self.batch), str(self.threads)]
        if not peer:
            return
        path = models.path(self.name, self.batch)
        tail = [self.precision, str(self.batch), str(self.threads), path]
        if path != "-":
            yield "OpenVINO", peer + ["openvino", self.name] + tail
            if self.precision == "int8":
                yield "OpenVINO, rest in bf16", peer + ["openvino", self.name + "@bf16"] + tail
            if self.precision in ("fp32", "int8"):
                yield "ONNX Runtime", peer + ["onnxruntime", self.name] + tail
        if self.precision == "int8":  # PyTorch has no integers for these models but through the others
            return
        yield "PyTorch", peer + ["torch", self.name] + tail
        if self.name == "mobilenet_v2":
            yield "PyTorch channels_last", peer + ["torch", self.name + "@channels_last"] + tail

    def measure(self, options, models):
        contestants = [Contestant(label, command, self.threads) for label, command in self.commands(options, models)]
        able = [c for c in contestants if not c.reason]
        for _ in range(options.rounds):
            for contestant in able:
                taken = contestant.ask(f"run {options.seconds}")
                if taken is not None:
                    contestant.times.append(taken)
                time.sleep(0.05)  # let its threads go to sleep
        result = {"kind": self.kind, "name": self.name, "precision": self.precision, "batch": self.batch, "threads": self.threads,
                  "flop": next((c.flop for c in contestants if c.flop), 0.0), "contestants": {}}
        for contestant in contestants:
            peak = contestant.ask("peak") if not contestant.reason else None
            result["contestants"][contestant.label] = (
                {"ms": statistics.median(contestant.times), "rounds_ms": contestant.times, "peak_bytes": peak}
                if contestant.times else {"missing": contestant.reason})
            contestant.end()
        return result


class Models:
    """ONNX files for the peers that read them, exported once by PyTorch."""

    def __init__(self, options, folder):
        self.options, self.folder, self.done = options, folder, {}

    def path(self, name, batch):
        if (name, batch) not in self.done:
            path = f"{self.folder}/{name}_{batch}.onnx"
            command = [self.options.peers, os.path.abspath(__file__), "--serve", "export", name, "fp32", str(batch), "1", path]
            ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            exported = ended.returncode == 0 and os.path.exists(path)
            if not exported:
                last = (ended.stdout + ended.stderr).strip().splitlines()[-1:]
                print(f"no ONNX file of {name}, so neither OpenVINO nor ONNX Runtime: {' '.join(last)}", file=sys.stderr)
            self.done[name, batch] = path if exported else "-"
        return self.done[name, batch]


def limits(options):
    """GFLOP/s of one thread: the best of the shapes that fused blocks and attention use."""
    command = [f"{options.build}/bench_tile_gemm", "--benchmark_filter=^(f32|bf16|u8_project)/", "--benchmark_format=json", "--benchmark_min_time=0.1",
               "--benchmark_repetitions=3", "--benchmark_enable_random_interleaving=true"]
    if os.path.exists("/usr/bin/taskset"):
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] + command
    rows = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout)["benchmarks"]
    best = lambda prefix: max(row["GFLOP/s"] for row in rows if row["name"].startswith(prefix) and "GFLOP/s" in row)
    return {"fp32": best("f32/"), "bf16": best("bf16/"), "int8": best("u8_project/")}


def cpu_model():
    with open("/proc/cpuinfo") as cpuinfo:
        return next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), platform.machine())


def versions(options):
    if not options.peers:
        return {}
    names = ["torch", "torchvision", "timm", "onnxruntime", "openvino", "nncf"]
    program = ("import importlib.metadata as m, json\ndef v(n):\n  try: return m.version(n)\n  except Exception: return 'missing'\n"
               f"print(json.dumps({{n: v(n) for n in {names!r}}}))")
    return json.loads(subprocess.run([options.peers, "-c", program], check=True, stdout=subprocess.PIPE, text=True).stdout)


def row_of(result, limit):
    ours, others = result["contestants"]["edgelab"], {k: v for k, v in result["contestants"].items() if k != "edgelab" and "ms" in v}
    work = f"{result['name']} {result['precision']}, batch {result['batch']}"
    if result["kind"] == "attention":
        tokens, heads, width = result["name"].split("x")
        work = f"attention {result['precision']}, {tokens} tokens, {heads} heads of {width}"
    if result["kind"] == "training":
        work = "training step, " + work
    if "ms" not in ours:
        return [work, str(result["threads"]), f"missing: {ours['missing']}"] + [""] * 6
    best = min(others, key=lambda k: others[k]["ms"], default=None)
    reached = result["flop"] / ours["ms"] * 1e-6
    mib = lambda c: f"{c['peak_bytes'] / 2**20:.0f}" if c and c.get("peak_bytes") else ""
    return [work, str(result["threads"]), f"{ours['ms']:.3g}", best or "none", f"{others[best]['ms']:.3g}" if best else "",
            f"**{ours['ms'] / others[best]['ms']:.2f}**" if best else "", f"{100 * reached / (limit[result['precision']] * result['threads']):.0f} %",
            mib(ours), mib(result["contestants"].get("ONNX Runtime") or (others[best] if best else None))]


def table(report):
    head = ["work", "threads", "edgelab ms", "best peer", "its ms", "ours / peer", "share of limit", "edgelab peak MiB", "ONNX Runtime's, or the best peer's"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row_of(result, report["limit_gflops"])) + " |" for result in report["cells"]]
    missing = sorted({f"{label}: {c['missing']}" for result in report["cells"] for label, c in result["contestants"].items() if "missing" in c})
    return "\n".join(lines + ([""] + [f"- missing: {text}" for text in missing] if missing else [])) + "\n"


def heading(report):
    libraries = ", ".join(f"{name} {version}" for name, version in report["versions"].items()) or "none"
    return (f"{report['date']}, {report['cpu']}, {report['cores']} cores, Linux {report['kernel']}; peers: {libraries}. "
            f"{report['rounds']} rounds of {report['seconds']} s each, by turns. Limit on one thread: {report['limit_gflops']['fp32']:.0f} GFLOP/s in fp32, "
            f"{report['limit_gflops']['bf16']:.0f} in bf16; load average at the start {report['load'][0]:.1f}.\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", help="folder with bench_model, bench_training, bench_attention and bench_tile_gemm")
    parser.add_argument("--peers", default="", help="Python interpreter that has the peers; none: edgelab alone")
    parser.add_argument("--models", default="mobilenet_v2,deit_tiny,deit_small")
    parser.add_argument("--precisions", default="fp32,bf16")
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--attention", default="197,1024,4096", help="numbers of tokens, or none")
    parser.add_argument("--training", default="mobilenet_v2,deit_tiny", help="models whose training step is measured, or none")
    parser.add_argument("--training-batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each contestant's turn")
    parser.add_argument("--json", default="")
    parser.add_argument("--markdown", default="", help="file for heading and table")
    options = parser.parse_args()
    split = lambda text: [part for part in text.split(",") if part]

    cells = [Cell("model", name, precision, int(batch), int(threads)) for threads in split(options.threads) for name in split(options.models)
             for precision in split(options.precisions) for batch in split(options.batches)]
    cells += [Cell("attention", f"{tokens}x6x64", precision, 1, int(threads)) for threads in split(options.threads)
              for precision in split(options.precisions) for tokens in split(options.attention)]
    cells += [Cell("training", name, precision, options.training_batch, int(threads)) for threads in split(options.threads)
              for name in split(options.training) for precision in split(options.precisions)]
    report = {"date": time.strftime("%Y-%m-%d"), "cpu": cpu_model(), "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
              "load": os.getloadavg(), "rounds": options.rounds, "seconds": options.seconds, "versions": versions(options),
              "command": " ".join(sys.argv), "limit_gflops": limits(options), "cells": []}
    with tempfile.TemporaryDirectory() as folder:
        models = Models(options, folder)
        for cell in cells:
            report["cells"].append(cell.measure(options, models))
            print(" | ".join(row_of(report["cells"][-1], report["limit_gflops"])), file=sys.stderr, flush=True)
    after = limits(options)
    report["limit_gflops"] = {key: max(value, after[key]) for key, value in report["limit_gflops"].items()}
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write(heading(report) + table(report))
    print(table(report), end="")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(*sys.argv[2:])
    else:
        main()
