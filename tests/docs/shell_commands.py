"""Commands that documents show and nothing runs here, since they are for other machines: read by bash, their options held against
what the programs say of themselves, and the files of the checkout that they name looked for."""
import functools
import re
import shlex
import subprocess

EDGELAB = re.compile(r"(.*/)?bin/edgelab|build/edgelab|edgelab")
SCRIPT = re.compile(r"(?:\./)?(lab|cluster/[\w-]+\.sh)")
IN_CHECKOUT = re.compile(r"(?:jobs|configs|cluster|tests|docs|src)/[\w./-]*\w$")
OPERATORS = set(";&|()<>")


@functools.lru_cache(maxsize=None)
def help_of(*command):
    """What a command says of itself."""
    ended = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return ended.stdout


def words_of(line):
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def simple_commands(text):
    """The words of each command of a text, lists and loops taken apart."""
    for line in text.replace("\\\n", " ").splitlines():
        command = []
        for word in [*words_of(line), ";"]:
            if set(word) <= OPERATORS:
                if command:
                    yield command
                command = []
            else:
                command.append(word)


def unknown_options(name, text, words):
    known = set(re.findall(r"--[\w-]+", text))
    for option in (word.split("=")[0] for word in words if re.match(r"--\w", word)):
        if option not in known:
            yield f"`{name}` has no {option}"


def edgelab_problems(program, words):
    command, text = [program], help_of(program)
    while words and re.search(rf"^Subcommands:\n(.*\n)*?  {re.escape(words[0])} ", text, re.M):
        command, words = [*command, words[0]], words[1:]
        text = help_of(*command)
    name = " ".join(["edgelab", *command[1:]])
    if "\nSubcommands:" in text and not (words and words[0].startswith("-")):
        yield f"`{name}` has no `{words[0] if words else ''}`"
    else:
        yield from unknown_options(name, text, words)


def script_problems(source, script, words):
    """Of a script's commands none is asked for help of its own: it might do what it is called."""
    text = help_of(str(source / script))
    if script == "lab" and words and not re.search(rf"^  {re.escape(words[0])}\b", text, re.M):
        yield f"`./lab` has no `{words[0]}`"
    elif script == "lab" and words[:1] in (["hosts"], ["setup"]):
        script = {"hosts": "cluster/provision.sh", "setup": "cluster/setup.sh"}[words[0]]
        yield from script_problems(source, script, words[1:])
    else:
        yield from unknown_options(script, text, words)


def command_problems(words, source, build):
    for position, word in enumerate(words):
        rest = words[position + 1:]
        if EDGELAB.fullmatch(word):
            yield from edgelab_problems(str(build / "edgelab"), rest)
            break
        if match := SCRIPT.fullmatch(word):
            if rest[:1] == ["exec"]:  # exec HOST COMMAND…
                yield from command_problems(rest[2:], source, build)
            else:
                yield from script_problems(source, match[1], rest)
            break
    for word in words:
        if IN_CHECKOUT.fullmatch(word) and not (source / word).exists():
            yield f"there is no {word}"


def shell_problems(text, source, build):
    """What is wrong with the commands of a block."""
    read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if read.returncode != 0:
        yield f"bash can't read it: {read.stderr.strip()}"
        return
    for words in simple_commands(text):
        yield from command_problems(words, source, build)
