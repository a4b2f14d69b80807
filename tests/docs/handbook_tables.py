"""The tables that are about the labs' job files, held against them: "The job file, line by line" of the handbook's pages, and the
labs in README.md."""
import re

LABS = re.compile(r"jobs/lab\w+\.yaml")
SECTION = re.compile(r"^## The job file, line by line\n(.*?)(?=^## )", re.M | re.S)
PUNCTUATION = r"[\s{}\[\],\"'-]"


def pattern_of(fragment):
    """What a fragment of YAML in a table matches: its keys and values in their order, on one line or as a block; an ellipsis is any
    stretch of a job."""
    def words(piece):
        return f"{PUNCTUATION}+".join(re.escape(word) for word in re.split(f"{PUNCTUATION}+", piece) if word)
    pieces = filter(None, map(words, fragment.split("…")))
    return r"(?<![\w.])" + r".{0,800}?(?<![\w.])".join(pieces) + r"(?![\w.])"


def without_comments(yaml):
    return re.sub(r"(^|\s)#.*$", "", yaml, flags=re.M)


def stale_rows(source, document):
    """Rows whose YAML stands in none of the job files that the page names."""
    text = document.read_text()
    section = SECTION.search(text)
    if not section:
        return
    paths = [source / name for name in sorted(set(LABS.findall(text)))]
    jobs = [without_comments(path.read_text()) for path in paths if path.exists()]
    for row in re.findall(r"^\| (`.*?) \| ", section[1], re.M):
        for fragment in re.findall(r"`([^`]+)`", row):
            if not any(re.search(pattern_of(fragment), job, re.S) for job in jobs):
                yield f"{document.relative_to(source)}: \"line by line\": no job file of the page has `{fragment}`"


def labs_left_out(source):
    """Job files of labs that README.md doesn't name."""
    named = set(LABS.findall((source / "README.md").read_text()))
    for path in sorted((source / "jobs").glob("lab*.yaml")):
        if f"jobs/{path.name}" not in named:
            yield f"README.md: the labs lack jobs/{path.name}"
