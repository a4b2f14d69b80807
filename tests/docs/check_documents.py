#!/usr/bin/env python3
"""Does what README.md and the other documents say: every path they name exists, and every command they show works.

usage: check_documents.py SOURCE BUILD [labs] [--full]

Without `labs`, all documents but the handbook, and what the heads of the job files say beside it; with it, the handbook, whose tables of figures
must say by which command and at which commit they were measured, and the reports that their commands make are opened in a browser
(tests/results/report_in_browser.py), each and all results together. Long jobs are shortened; with `--full` they are run as they
stand, however long that takes, the exercises too, and by root what wants an emulated cluster; what they leave in results/ is
kept in BUILD/documents, and pictures of the reports in BUILD/documents/reports. (The heads of the job files stay
short: they are the same jobs.)
Commands are the lines of ```sh blocks (those of ```console blocks are for other machines, and only read: shell_commands.py) and, where the modules they import are there, the ```python blocks; they run one after another in a scratch folder that shows the checkout through links
but has results/ of its own, with the Python modules of the checkout (./lab runs in the checkout itself). A ```yaml block that the text before it or after it says to save (Save it as `NAME`) is saved.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from handbook_tables import labs_left_out, stale_rows
from shell_commands import shell_problems

# Commands that are not run as they stand, each with the reason. A value is what runs instead; None runs nothing.
INSTEAD = {
    "./lab test": (None, "it is what runs this"),
    "cluster/gpu-bundle.sh results/edgelab-gpu.tar.gz": (None, "tests/cluster/gpu_bundle_test.py makes one, and runs it"),
    "build/edgelab data fetch cifar10": (None, "it needs the network; tests/data fetches from a server of its own"),
    "mpirun -n 2 build/edgelab run jobs/demo.yaml": ("mpirun -n 2 build/edgelab run jobs/demo.yaml --only speed", "shortened: README.md's ./lab demo runs the whole"),
}
# Commands for another system, each with the reason: a command that holds the word is not run.
ELSEWHERE = {
    "sbatch": "it needs a cluster with Slurm; tests/cluster/slurm starts one",
    "--slurm": "it needs a cluster with Slurm; tests/cluster/slurm starts one",
    "tests/bench/pipeline_beside_pytorch.py": "it needs emulated hosts and PyTorch",
    "cluster/emulate.sh": "it needs root and network namespaces; tests/cluster/emulate_test.py makes some",
}
# Long jobs, shortened: a command that holds the key gets the options behind it.
SHORTENED = {
    "jobs/demo.yaml --out": "--set jobs.train-mobilenet.train.epochs=2 --set jobs.train-mobilenet.expect=[] --set jobs.train-vit.train.epochs=2 --set jobs.train-vit.expect=[]",
    "jobs/lab0_mobilenet_gpu.yaml": "--set defaults.data.limit=16 --set defaults.measure.repeats=1 --set defaults.measure.warmup=0 --set jobs.cpu.matrix.batch=[1,2]",
    "jobs/lab1_mobilenet_edge.yaml": "--set defaults.data.limit=16 --set defaults.measure.repeats=1",
    "jobs/lab4_deit_edge.yaml": "--set defaults.data.limit=4 --set defaults.measure.repeats=1",
    "tests/bench/versus_peers.py": "--models mobilenet_v2 --training deit_tiny --training-batch 1 --precisions fp32 --batches 1 --threads 1 --attention 197 --rounds 1 --seconds 0.05",
    "tests/bench/compare_calls_regressions.py": "--short",
    "jobs/lab8_distill_vit.yaml": "--only alone --set defaults.train.epochs=1 --set defaults.data.limit=128 --set jobs.alone.model.depth=1",
    "jobs/lab8_finetune_vit.yaml": "--set defaults.train.epochs=1 --set defaults.data.limit=128 --set defaults.model.depth=2",
    "jobs/lab2_compress_mobilenet.yaml": "--only channels[prune.method=magnitude] --set defaults.data.limit=32 --set defaults.prune.finetune.epochs=1 --set defaults.prune.finetune.validate.limit=16",
    "jobs/lab2_pareto.yaml": "--only 'integers[#2]' --set defaults.data.limit=32 --set defaults.prune.finetune.epochs=1 --set jobs.channels.prune.finetune.epochs=1 --set defaults.prune.finetune.validate.limit=16 --set defaults.quantize.validate.limit=16 --set defaults.quantize.calibration.data.limit=16",
    "jobs/lab3_tinyml_mobilenet.yaml": "--only ptq[quantize.calibration.method=minmax] --set defaults.quantize.calibration.data.limit=64 --set defaults.quantize.validate.limit=32 --set jobs.ptq.expect=[]",
    "jobs/lab5_quantize_vit.yaml": "--only ptq --set defaults.data.limit=256 --set jobs.vit.train.epochs=1 --set defaults.quantize.validate.limit=64 --set jobs.ptq.expect=[]",
    "jobs/lab2_compress_deit.yaml": "--only half --set defaults.data.limit=128 --set defaults.model.depth=2 --set jobs.base.train.epochs=1 --set defaults.prune.finetune.epochs=1",
    "jobs/lab7_vit_cluster.yaml": "--set defaults.data.limit=8 --set defaults.data.per_class=1 --set defaults.measure.repeats=1",
    "jobs/lab6_flash_attention.yaml": "--set defaults.measure.repeats=1 --only bf16-577",
}
# What labs need that this machine may lack.
NEEDS = {
    "jobs/lab0_mobilenet_gpu.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"),
    "jobs/lab1_mobilenet_edge.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"),
    "jobs/lab2_compress_mobilenet.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"),
    "jobs/lab2_compress_deit.yaml": ("EDGELAB_DATA",),
    "jobs/lab2_pareto.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"),
    "jobs/lab3_tinyml_mobilenet.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"),
    "jobs/lab4_deit_edge.yaml": ("EDGELAB_DATA",),
    "jobs/lab8_finetune_vit.yaml": ("EDGELAB_DATA",),
    "jobs/lab8_distill_vit.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"),
    "$EDGELAB_MODELS": ("EDGELAB_MODELS",),
}
EXERCISE = "an exercise, run"
PATH = re.compile(r"`((?:src|tests|docs|jobs|configs|cluster|results|cmake)/[\w./*-]*|[\w-]+\.md|\.ci/run)`|\]\(([^)#:]+)\)")
MADE_BY_COMMANDS = re.compile(r"results/[\w.-]+\.((h5|html|journal|md)$|artifacts/)")


def documents(source, labs):
    if labs:
        return sorted((source / "docs/labs").glob("*.md"))
    return [source / "README.md", source / "CONTRIBUTING.md", *sorted((source / "docs").glob("*.md")), source / "results/README.md"]


def lab_commands(source):
    """The commands in the heads of the job files, as a document of their own."""
    commands = []
    for job in sorted((source / "jobs").glob("*.yaml")):
        head = job.read_text().split("\nname:")[0]
        lines = re.findall(r"^#   (.*)$", head, re.M)
        commands += "\n".join(lines).replace("\\\n", " ").splitlines()
    return commands


def handbook_runs(source):
    """What the handbook's commands run, shortened, but for the names of the files that they make."""
    bodies = [body for document in documents(source, True) for language, body, _ in blocks(document.read_text()) if language == "sh"]
    commands = [command_to_run(line, False)[0] for body in bodies for line in lines_of(body)]
    return [but_for_its_output(["bash", "-c", command]) for command in commands if command]


def missing_paths(source, document):
    """Paths named in the document that are not in the checkout (a link counts from the document, a code path from the top)."""
    for number, line in enumerate(document.read_text().splitlines(), 1):
        for code, link in PATH.findall(line):
            base = document.parent if link else source
            name = link or code
            if MADE_BY_COMMANDS.match(name) or "<" in name:
                continue
            found = list(base.glob(name)) if "*" in name else [base / name] if (base / name).exists() else \
                [document.parent / name] if (document.parent / name).exists() else []
            if not found:
                yield f"{document.relative_to(source)}:{number}: there is no {name}"


def blocks(text):
    """(language, body, the words around it) of each fenced block."""
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", text, re.M | re.S):
        around = text[max(0, match.start() - 200):match.start()] + text[match.end():match.end() + 200]
        yield match[1], match[2], around


def scratch_copy(source, build):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="edgelab-docs-"))
    for entry in source.iterdir():
        if entry.name not in (".git", "results", "build"):
            (folder / entry.name).symlink_to(entry)
    (folder / "build").symlink_to(build)
    (folder / "results").mkdir()
    for entry in source.glob("results/*.py"):
        (folder / "results" / entry.name).symlink_to(entry)
    return folder


def unsourced_figures(source, document):
    """What a handbook page's tables of figures lack: the command that measured them, and the commit."""
    section = re.search(r"^## What to expect\n(.*?)(?=^## )", document.read_text(), re.M | re.S)
    if not section or not re.search(r"^\|", section[1], re.M):
        return
    commits = re.findall(r"commit `([0-9a-f]{7,40})`", section[1])
    if not commits or not re.search(r"^```sh\n[^`]*edgelab (?:run|submit) ", section[1], re.M):
        yield f"{document.relative_to(source)}: the figures of \"What to expect\" need the command (in a sh block) and commit `HASH` that they are from"
    for commit in commits:
        # Histories get rewritten and cut short, which is no fault of the page.
        found = subprocess.run(["git", "-C", str(source), "cat-file", "-e", commit + "^{commit}"], capture_output=True, check=False)
        if found.returncode != 0:
            print(f"{document.relative_to(source)}: commit {commit} is not in this checkout")


def emulates(command):
    return "cluster/emulate.sh" in command.split()


def command_to_run(command, whole):
    """The command as it is run here, and why it differs; (None, reason) if it isn't."""
    if command in INSTEAD and not (whole and INSTEAD[command][0]):
        return INSTEAD[command]
    if whole and emulates(command) and os.geteuid() == 0 and "tests/bench/pipeline_beside_pytorch.py" not in command:
        return re.sub(r"\bsudo ", "", command), ""
    for word, reason in ELSEWHERE.items():
        if word in command.split():
            return None, reason
    command = re.sub(r"EDGELAB_(DATA|MODELS)=\S+\s+", "", command)  # relative to a checkout; here the environment says where
    for job, variables in NEEDS.items():
        lacking = [name for name in variables if job in command and name not in os.environ]
        if lacking:
            return None, f"{' and '.join(lacking)} not set"
    for job, options in {} if whole else SHORTENED.items():
        if job in command and (" run " in command or command.startswith("python3 ")):
            return f"{command} {options}", "shortened"
    return command, ""


def exercise_to_run(text, command, number):
    """An exercise as the page says to do it: `run` for `validate`, on as many ranks as its jobs want. None if it is no exercise."""
    if not re.match(r"build/edgelab validate .*--(only|set) ", command) or not (said := re.search(r"Say `(run|submit)\b", text)):
        return None
    ranks = "mpirun -n 4 " if said[1] == "submit" else "mpirun -n 2 "
    return ranks + command.replace(" validate ", " run ", 1) + f" --out results/exercise{number}.h5"


def environment():
    # mpirun as root and with more ranks than cores, for Open MPI 4 and 5: what the README says in words. Debian's python3
    # first, since `lab setup` installs Debian's h5py.
    return dict(os.environ, PATH="/usr/bin:/bin:" + os.environ.get("PATH", ""), OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", PRTE_ALLOW_RUN_AS_ROOT="1",
                PRTE_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1", PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")


def lines_of(body):
    """The commands of a shell block, continued lines joined, comments and blank lines left out."""
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in body.replace("\\\n", " ").splitlines())
    return list(filter(None, lines))


def lacking_module(body, folder):
    """The first module that a Python block imports and neither Debian's Python nor results/ has."""
    for module in re.findall(r"^import (\w+)", body, re.M):
        if (folder / f"results/{module}.py").exists():
            continue
        if subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], capture_output=True, check=False).returncode != 0:
            return module
    return None


def commands_of(text, folder, whole):
    """(what to show, the argument vector or None, why it differs) of every command, in order; saves the job files on the way."""
    exercises = 0
    for language, body, around in blocks(text):
        if language == "yaml":
            for name in re.findall(r"[Ss]ave it as\s+`([\w.-]+)`", around):
                (folder / name).write_text(body)
        elif language == "sh":
            for line in lines_of(body):
                command, note = command_to_run(line, whole)
                exercises += 1
                if whole and (exercise := exercise_to_run(text, line, exercises)):
                    command, note = command_to_run(exercise, whole)
                    note = note or EXERCISE
                yield line, command and ["bash", "-c", command], note
        elif language == "python":
            module = lacking_module(body, folder)
            yield "the Python block", None if module else ["/usr/bin/python3", "-c", body], f"there is no module {module}" if module else ""


def unread_commands(source, build, document, whole):
    """What is wrong with the commands that are not run: ```console blocks, which are for other machines, and those of ```sh blocks."""
    for language, body, _ in blocks(document.read_text()):
        unread = [body] if language == "console" else [line for line in lines_of(body) if command_to_run(line, whole)[0] is None] if language == "sh" else []
        for text in unread:
            for problem in shell_problems(text, source, build):
                yield f"{document.relative_to(source)}: {problem}"


def gather_results(folder, gathered, name):
    """What the commands of a document left in results/, beside that of the others, and each once."""
    place, results = gathered / str(name).removesuffix(".md").replace("/", "-"), folder / "results"
    shutil.copytree(results, place, dirs_exist_ok=True,
                    ignore=lambda _, names: [entry for entry in names if not entry.endswith((".h5", ".html")) or (results / entry).is_symlink()])


def report_problems(source, build, gathered, whole):
    """Opens every report that the documents' commands made in a browser, and one of all their results files together."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        print("reports are not opened: chromium is not installed")
        return []
    pictures = build / "documents/reports"
    if whole:
        pictures.mkdir(parents=True, exist_ok=True)
        print(f"pictures of the reports go to {pictures}")
    files = sorted(gathered.glob("*/*.h5"))
    together = gathered / "all.html"
    problems = []
    if files:
        made = subprocess.run([build / "edgelab", "results", "report", *files, "--out", together], stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False)
        if made.returncode != 0:
            problems.append(f"the report of {len(files)} results files together: exit code {made.returncode}\n{made.stderr[-3000:]}")
    for page in sorted(gathered.glob("**/*.html")):
        print(f"   report {page.relative_to(gathered)}", flush=True)
        opened = subprocess.run([sys.executable, source / "tests/results/report_in_browser.py", page, *([pictures] if whole else [])], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        if opened.returncode != 0:
            problems.append(f"report {page.relative_to(gathered)}: {opened.stdout[-3000:]}")
    return problems


def but_for_its_output(arguments):
    return [re.sub(r"\s+", " ", re.sub(r"--out \S+", "", argument)) for argument in arguments]


def run_text(source, build, name, text, whole, gathered=None, run_by_handbook=()):
    folder = scratch_copy(source, build)
    ran, failures, emulated = 0, [], False
    outputs = []  # (command but for its output, output) of each that made a results file
    try:
        not_made = []  # outputs of commands that were not run
        for shown, arguments, note in commands_of(text, folder, whole):
            made = re.search(r"--out (\S+)", shown)
            if made and arguments and but_for_its_output(arguments) in run_by_handbook:
                arguments, note = None, "the handbook runs it"
            if arguments is None or any(name in shown.split() for name in not_made):
                print(f"   not run: {shown}  ({note or 'its input was not made'})")
                not_made += [made[1]] if made else []
                continue
            not_made = [name for name in not_made if not made or name != made[1]]
            # A page's figures are often those of the command that it began with.
            same = [output for command, output in outputs if made and command == but_for_its_output(arguments)]
            if same and made[1].endswith(".h5"):
                print(f"   as {same[0]}: {shown}")
                (folder / made[1]).unlink(missing_ok=True)
                (folder / made[1]).symlink_to(folder / same[0])
                continue
            print(f"   $ {shown}" + (f"  ({note})" if note else ""), flush=True)
            # The wrapper configures builds, which must not remember a scratch folder: it runs where it stands.
            place = source if shown.startswith("./lab ") else folder
            began = time.monotonic()
            result = subprocess.run(arguments, cwd=place, env=environment(), stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, timeout=None if whole else 900, check=False)
            ran += 1
            if (took := time.monotonic() - began) > 10:
                print(f"     {took:.0f} s", flush=True)
            if made and result.returncode == 0 and (folder / made[1]).is_file():
                outputs.append((but_for_its_output(arguments), made[1]))
            emulated = emulated or emulates(shown)
            # What an exercise shows may be that an expectation isn't met, or that a job fails.
            if result.returncode not in ((0, 1) if note == EXERCISE else (0,)):
                failures.append(f"{name}: exit code {result.returncode}: {shown}\n{result.stdout[-3000:]}")
    finally:
        if emulated:
            subprocess.run([source / "cluster/emulate.sh", "down"], check=False, stdout=subprocess.DEVNULL)
        if gathered:
            gather_results(folder, gathered, name)
        if whole:
            kept = build / "documents" / str(name).removesuffix(".md").replace("/", "-")
            shutil.copytree(folder / "results", kept, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True)
            print(f"   results kept in {kept}")
        shutil.rmtree(folder, ignore_errors=True)
    return ran, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("labs", nargs="?", choices=["labs"])
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    source, build, labs = arguments.source.resolve(), arguments.build.resolve(), arguments.labs is not None
    problems, ran = [], 0
    gathered = pathlib.Path(tempfile.mkdtemp(prefix="edgelab-reports-")) if labs else None
    for document in documents(source, labs):
        print(document.relative_to(source))
        problems += missing_paths(source, document)
        problems += unread_commands(source, build, document, arguments.full)
        problems += [*unsourced_figures(source, document), *stale_rows(source, document)] if labs else []
        count, failures = run_text(source, build, document.relative_to(source), document.read_text(), arguments.full, gathered)
        ran += count
        problems += failures
    if not labs:
        problems += labs_left_out(source)
        print("heads of jobs/*.yaml")
        count, failures = run_text(source, build, "jobs", "```sh\n" + "\n".join(lab_commands(source)) + "\n```\n", False, run_by_handbook=handbook_runs(source))
        ran += count
        problems += failures
    if gathered:
        problems += report_problems(source, build, gathered, arguments.full)
        shutil.rmtree(gathered)
    print(f"{ran} commands run, {len(problems)} problems")
    for problem in problems:
        print(problem)
    return 1 if problems or ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
