#!/usr/bin/env python3
"""A vision transformer on one host and as a pipeline over four, by edgelab and by PyTorch (torch.distributed.pipelining, gloo), by turns.

    sudo cluster/emulate.sh up --hosts 4 --link 1gbit --cpu 0.4
    sudo python3 tests/bench/pipeline_beside_pytorch.py --peers PYTHON --images 96 --rounds 3
    sudo cluster/emulate.sh down

--peers names an interpreter that has torch and timm. Both sides run the same architecture with drawn weights on images of noise, a micro-batch of
one image, three blocks of twelve a stage, one thread a host (as many as the emulated hosts have cores), eager PyTorch under inference_mode.
What counts is images a second once everything is loaded: PyTorch's second pass over the images, edgelab's own measurement.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ARCH = "deit3_small_patch16_224"
HOST = "emu"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
JOB = """
name: beside-pytorch
defaults:
  task: infer
  data: {{dataset: shapes10, limit: {images}, resize: 224}}
  model: {{arch: {arch}, weights: random}}
  measure: {{warmup: 1, repeats: 1}}
  batch: {images}
  threads: 1
jobs:
  - {{id: serial, ranks: 1, parallel: {{microbatch: 1}}}}
  - {{id: pipeline, ranks: {ranks}, parallel: {{strategy: pipeline, microbatch: 1, wire: fp32}}}}
"""


def worker(rank, ranks, images):
    """One rank of PyTorch's side; prints images a second of the second pass, from the last stage's point of view."""
    import timm
    import torch
    import torch.distributed as distributed

    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = timm.create_model(ARCH, pretrained=False).eval()
    pictures = torch.randn(images, 3, 224, 224)

    def seconds(run):
        with torch.inference_mode():
            run()
            if ranks > 1:
                distributed.barrier()
            began = time.monotonic()
            run()
            if ranks > 1:
                distributed.barrier()
            return time.monotonic() - began

    if ranks == 1:
        print(json.dumps({"rate": images / seconds(lambda: [model(picture[None]) for picture in pictures])}))
        return

    from torch.distributed.pipelining import PipelineStage, ScheduleGPipe

    distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    blocks = len(model.blocks)
    mine = model.blocks[rank * blocks // ranks:(rank + 1) * blocks // ranks]

    class Part(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model, self.blocks = model, mine

        def forward(self, x):
            if rank == 0:
                x = self.model.patch_embed(x)
                x = self.model._pos_embed(x)
                x = self.model.norm_pre(x)
            x = self.blocks(x)
            return self.model.forward_head(self.model.norm(x)) if rank == ranks - 1 else x

    stage = PipelineStage(Part().eval(), rank, ranks, torch.device("cpu"))
    schedule = ScheduleGPipe(stage, n_microbatches=images)
    rate = images / seconds(lambda: schedule.step(pictures) if rank == 0 else schedule.step())
    if rank == 0:
        print(json.dumps({"rate": rate}))
    distributed.destroy_process_group()


def on_host(number, command, environment=()):
    words = [str(SOURCE / "cluster/emulate.sh"), "exec", f"{HOST}{number}", "env", *environment, *map(str, command)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def torch_rate(arguments, ranks):
    environment = [f"MASTER_ADDR={HOST}1", "MASTER_PORT=29517", "GLOO_SOCKET_IFNAME=eth0", "OMP_NUM_THREADS=1", "TORCH_CPP_LOG_LEVEL=ERROR"]
    command = [arguments.peers, __file__, "--worker", ranks, "--images", arguments.images, "--rank"]
    ends = [on_host(rank + 1, [*command, rank], environment) for rank in range(ranks)]
    outputs = [end.communicate()[0] for end in ends]
    if any(end.returncode != 0 for end in ends):
        raise SystemExit(f"PyTorch on {ranks} hosts failed, see above")
    return json.loads(outputs[0].splitlines()[-1])["rate"]


def edgelab_rates(arguments, folder):
    job, results = folder / "job.yaml", folder / "results.h5"
    job.write_text(JOB.format(arch=ARCH, images=arguments.images, ranks=arguments.ranks))
    command = ["mpirun", "-n", arguments.ranks, "--hostfile", f"/run/edgelab-emulated/{HOST}/hosts", arguments.build / "edgelab", "run", job, "--out", results]
    end = on_host(1, command)
    end.communicate()
    if end.returncode != 0:
        raise SystemExit("edgelab failed, see above")
    shown = json.loads(subprocess.run([arguments.build / "edgelab", "results", "show", "--json", results], check=True, capture_output=True, text=True).stdout)
    return {name: job["summary"]["throughput_samples_per_second"] for name, job in shown["jobs"].items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has torch and timm")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build")
    parser.add_argument("--ranks", type=int, default=4, help="hosts in the pipeline")
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)  # of so many ranks
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.rank, arguments.worker, arguments.images)
        return
    if not pathlib.Path(f"/run/edgelab-emulated/{HOST}/hosts").exists():
        raise SystemExit("there are no emulated hosts: cluster/emulate.sh up --hosts 4 --link 1gbit --cpu 0.4")
    arguments.build = arguments.build.resolve()
    rates = {"edgelab serial": [], "edgelab pipeline": [], "PyTorch serial": [], "PyTorch pipeline": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            ours = edgelab_rates(arguments, pathlib.Path(folder))
            for name in ("serial", "pipeline"):
                rates[f"edgelab {name}"].append(ours[name])
            rates["PyTorch serial"].append(torch_rate(arguments, 1))
            rates["PyTorch pipeline"].append(torch_rate(arguments, arguments.ranks))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    print(f"{ARCH}, {arguments.images} images, {arguments.ranks} hosts, load average {os.getloadavg()[0]:.1f}")
    for name, values in rates.items():
        print(f"{name:18} {middle[name]:7.2f} images/s   of {', '.join(f'{value:.2f}' for value in values)}")
    for side in ("edgelab", "PyTorch"):
        print(f"{side}: pipeline / serial {middle[f'{side} pipeline'] / middle[f'{side} serial']:.2f}")
    print(f"edgelab / PyTorch: serial {middle['edgelab serial'] / middle['PyTorch serial']:.2f}, pipeline {middle['edgelab pipeline'] / middle['PyTorch pipeline']:.2f}")


if __name__ == "__main__":
    main()
