#!/usr/bin/env python3
"""Does what README.md and the other documents say: every path they name exists, and every command they show works.

usage: check_documents.py SOURCE BUILD

Commands are the lines of ```sh blocks; they run one after another in a scratch folder that shows the checkout through links
but has results/ of its own (./lab runs in the checkout itself). A ```yaml block that the text before it or after it says to save (Save it as `NAME`) is saved.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Commands that are not run as they stand, each with the reason. A value is what runs instead; None runs nothing.
INSTEAD = {
    "./lab test": (None, "it is what runs this"),
    "build/edgelab data fetch cifar10": (None, "it needs the network; tests/data fetches from a server of its own"),
}
# Long jobs, shortened: a command that holds the key gets the options behind it.
SHORTENED = {
    "jobs/lab1_mobilenet_edge.yaml": "--set defaults.data.limit=16 --set defaults.measure.repeats=1",
    "jobs/lab4_deit_edge.yaml": "--set defaults.data.limit=4 --set defaults.measure.repeats=1",
}
# What labs need that this machine may lack.
NEEDS = {"jobs/lab1_mobilenet_edge.yaml": ("EDGELAB_DATA", "EDGELAB_MODELS"), "jobs/lab4_deit_edge.yaml": ("EDGELAB_DATA",)}
PATH = re.compile(r"`((?:src|tests|docs|jobs|configs|cluster|results|cmake)/[\w./*-]*|[\w-]+\.md|\.ci/run)`|\]\(([^)#:]+)\)")
MADE_BY_COMMANDS = re.compile(r"results/[\w-]+\.(h5|html|journal)$")


def documents(source):
    return [source / "README.md", source / "CONTRIBUTING.md", *sorted((source / "docs").glob("*.md")), source / "results/README.md"]


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
    return folder


def command_to_run(command):
    """The command as it is run here, and why it differs; (None, reason) if it isn't."""
    if command in INSTEAD:
        return INSTEAD[command]
    for job, variables in NEEDS.items():
        lacking = [name for name in variables if job in command and name not in os.environ]
        if lacking:
            return None, f"{' and '.join(lacking)} is not set"
    for job, options in SHORTENED.items():
        if job in command and " run " in command:
            return f"{command} {options}", "shortened"
    return command, ""


def environment():
    # mpirun as root and with more ranks than cores, for Open MPI 4 and 5: what the README says in words. Debian's python3
    # first, since `lab setup` installs Debian's h5py.
    return dict(os.environ, PATH="/usr/bin:/bin:" + os.environ.get("PATH", ""), OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", PRTE_ALLOW_RUN_AS_ROOT="1",
                PRTE_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1", PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe")


def run_document(source, build, document):
    folder = scratch_copy(source, build)
    ran, failures = 0, []
    try:
        for language, body, around in blocks(document.read_text()):
            if language == "yaml":
                for name in re.findall(r"[Ss]ave it as\s+`([\w.-]+)`", around):
                    (folder / name).write_text(body)
            if language != "sh":
                continue
            for line in filter(None, (line.strip() for line in body.replace("\\\n", " ").splitlines())):
                command, note = command_to_run(re.sub(r"\s+#.*$", "", line))
                if command is None:
                    print(f"   not run: {line}  ({note})")
                    continue
                print(f"   $ {command}", flush=True)
                # The wrapper configures builds, which must not remember a scratch folder: it runs where it stands.
                place = source if command.startswith("./lab ") else folder
                result = subprocess.run(["bash", "-c", command], cwd=place, env=environment(), stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False)
                ran += 1
                if result.returncode != 0:
                    failures.append(f"{document.relative_to(source)}: exit code {result.returncode}: {command}\n{result.stdout[-3000:]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ran, failures


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    problems, ran = [], 0
    for document in documents(source):
        print(document.relative_to(source))
        problems += missing_paths(source, document)
        count, failures = run_document(source, build, document)
        ran += count
        problems += failures
    print(f"{ran} commands run, {len(problems)} problems")
    for problem in problems:
        print(problem)
    return 1 if problems or ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
