#!/usr/bin/env python3
"""cluster/gpu-bundle.sh: the bundle is small enough, and runs a job in a root folder that has a shell and a C library and no more.

usage: gpu_bundle_test.py EDGELAB

Exit code 77 where nobody may change the root folder.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MOST_BYTES = 60_000_000
JOB = """\
name: bundle
jobs:
  - {id: small, task: bench, model: {arch: mobilenet_v2, width_mult: 0.35, input_size: 32, weights: random}, graph: eager, measure: {warmup: 0, repeats: 1}}
"""
# What the bundle's start needs of a host, for the shell to run it.
OF_THE_HOST = ["/bin/sh", "/bin/dirname"]


def run(*arguments, **options):
    return subprocess.run(arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False, **options)


def lay_out_root(root):
    for folder in ("dev", "proc", "tmp"):
        (root / folder).mkdir(parents=True)
    files = set(OF_THE_HOST)
    for program in OF_THE_HOST:
        listed = run("ldd", program).stdout.replace("=>", " ").split()
        files |= {word for word in listed if word.startswith("/")}
    for name in files:
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(name), target)


def main():
    edgelab = pathlib.Path(sys.argv[1]).resolve()
    source = pathlib.Path(__file__).resolve().parents[2]
    if os.geteuid() != 0 or run("unshare", "-m", "true").returncode != 0:
        print("skipped: only root may change the root folder, in a namespace of its own")
        return 77
    with tempfile.TemporaryDirectory(prefix="edgelab-bundle-") as scratch:
        scratch = pathlib.Path(scratch)
        bundle, root = scratch / "edgelab-gpu.tar.gz", scratch / "root"
        made = run(str(source / "cluster/gpu-bundle.sh"), str(bundle), "--program", str(edgelab))
        print(made.stdout, end="")
        assert made.returncode == 0, "the bundle was not made"
        assert bundle.stat().st_size < MOST_BYTES, f"{bundle.stat().st_size} bytes"
        lay_out_root(root)
        run("tar", "-xzf", str(bundle), "-C", str(root)).check_returncode()
        (root / "tmp/job.yaml").write_text(JOB)
        inside = f"mount -t proc proc {root}/proc && mount --bind /dev {root}/dev && exec /usr/sbin/chroot {root} /edgelab-gpu/edgelab"
        environment = {"HOME": "/tmp", "PATH": "/bin"}
        ran = run("unshare", "-m", "sh", "-c", f"{inside} run /tmp/job.yaml --out /tmp/r.h5", env={**environment, "PATH": os.environ["PATH"]})
        print(ran.stdout, end="")
        assert ran.returncode == 0, f"exit code {ran.returncode} in the empty root folder"
        assert (root / "tmp/r.h5").stat().st_size > 0
        asked = (root / "tmp/job.yaml").read_text().replace("task: bench", "task: bench, device: cuda")
        (root / "tmp/cuda.yaml").write_text(asked)
        refused = run("unshare", "-m", "sh", "-c", f"{inside} run /tmp/cuda.yaml --out /tmp/c.h5", env={**environment, "PATH": os.environ["PATH"]})
        print(refused.stdout, end="")
        # The driver is the host's, and this root has none.
        assert refused.returncode == 3 and "no CUDA device" in refused.stdout, f"exit code {refused.returncode} without a driver"
    return 0


if __name__ == "__main__":
    sys.exit(main())
