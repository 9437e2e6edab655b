"""The commands and snippets of README and documentation, run as they stand there.

A fenced block is run or, with the reason in a comment before it, is not:

    <!-- not run: wants PBS -->                of the next block
    <!-- no block of this page is run: ... -->
    <!-- instead: 100000 => 1000 -->           in its commands, when they are run here
    <!-- varies: token=\\S+ -->                 in its output, beside what is MEASURED
    <!-- ended by Ctrl-C: molloop watch -->    that command, once it has printed what is shown
    <!-- file: mine.toml -->                   the block is the content of a file
    <!-- site file: ours.toml -->              the same, of a site file
    <!-- output -->                            the block is what the one before it printed

`console` blocks are commands behind `$`, each followed by its output, if any is shown; `...` in it
stands for any lines. `python` blocks of a page run one after the other in one interpreter. `toml`
must be a configuration. Output is compared word by word, in the order of the lines: what is
MEASURED may be anything, numbers with decimals may differ by one in their last digit or by 0.005
(eV, mostly), all else must be the same.
"""

import json
import re
import signal
import subprocess
import sys
import threading
import tomllib
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

LANGUAGES = ("console", "python", "toml", "text")
TIMEOUT_S = 300
TOLERANCE = 0.005
# times, sizes, utilisation, processes and hosts: they differ from run to run
MEASURED = re.compile(
    r"\d+(\.\d+)? (s|ms|MB)\b|^\d+ workers|\b(busy|simulate|train|rank) \d+%|process +\d+ on \S+"
)
# of what takes longer than a second, now and then
PROGRESS = re.compile(r"[a-z][^:]*(: .*)?, [\d,]+ s")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
COMMENT = re.compile(r"<!-- (.*?) -->")
FENCE = re.compile(r"(`{3,})(.*)")
INTERPRETER = """
import contextlib, io, json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    printed = io.StringIO()
    is_ok = True
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(json.loads(line), "<block>", "exec"), names)
        except BaseException:
            traceback.print_exc()
            is_ok = False
    print(json.dumps([is_ok, printed.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Block:
    """A fenced block, the line where it begins, and the comments before it."""

    line: int
    language: str
    text: str
    comments: tuple[str, ...] = ()

    def said(self, key):
        """Return what comments say behind a key, in their order."""
        return [
            text.removeprefix(key).removeprefix(":").strip()
            for text in self.comments
            if text.partition(":")[0] == key
        ]


def blocks(text):
    """Return the fenced blocks of a page; directives, such as cells of notebooks, are none."""
    found, comments, whole_page = [], [], []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if comment := COMMENT.fullmatch(line.strip()):
            comments.append(comment[1])
            if comment[1].startswith("no block of this page is run: "):
                whole_page = [f"not run: {comment[1]}"]
        elif fence := FENCE.fullmatch(line.strip()):
            inside = []
            for _, one in lines:
                if one.strip() == fence[1]:
                    break
                inside.append(one)
            language = fence[2].strip()
            if not language.startswith("{"):
                told = (*comments, *whole_page)
                found.append(Block(number, language, "\n".join(inside) + "\n", told))
            comments = []
        elif line.strip():
            comments = []
    return found


def unmarked(block):
    """Return why a block is neither run nor says why not, or nothing."""
    if any(block.said("not run")) or block.said("output") or block.said("file"):
        return ""
    if block.language not in LANGUAGES:
        return f"a block of language {block.language!r}, expected one of {', '.join(LANGUAGES)}"
    if block.language == "text":
        return "a block of text, expected <!-- output --> or <!-- not run: reason --> before it"
    if block.language == "console" and not block.text.startswith("$ "):
        return "a console block, expected a line that begins with $"
    return ""


def commands(text):
    """Return the commands of a console block, each with the output that is shown."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found[-1][0].endswith("\\"):
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(shown)) for command, shown in found]


def words(text, varies=()):
    """Return the words of every line; what may differ is #, what draws tables is left out."""
    found = []
    measured = set()
    for line in text.splitlines():
        if PROGRESS.fullmatch(line.strip()):
            continue
        cells = re.split("[│┃]", line)
        if "┃" in line:
            measured = {place for place, cell in enumerate(cells) if "time" in cell}
        if "│" in line:
            cells = ["#" if place in measured else cell for place, cell in enumerate(cells)]
        shown = MEASURED.sub("#", " ".join(cells))
        for pattern in varies:
            shown = re.sub(pattern, "#", shown)
        if split := re.findall(rf"{NUMBER.pattern}|[^\s\d─-╿]+", shown):
            found.append(split)
    return found


def difference(shown, printed, varies=()):
    """Return the first line in which shown and printed output differ, or nothing."""
    rest = words(printed, varies)
    skips = False
    for line in words(shown, varies):
        if line == ["..."]:
            skips = True
            continue
        while skips and rest and not _same(line, rest[0]):
            rest.pop(0)
        if not rest or not _same(line, rest.pop(0)):
            return f"shown: {' '.join(line)}\nprinted:\n{printed}"
        skips = False
    return "" if skips or not rest else f"not shown: {' '.join(rest[0])}\nprinted:\n{printed}"


def _same(one, other):
    return len(one) == len(other) and all(map(_same_word, one, other))


def _same_word(one, other):
    if not (NUMBER.fullmatch(one) and NUMBER.fullmatch(other) and "." in one and "." in other):
        return one == other
    decimals = min(len(one.partition(".")[2]), len(other.partition(".")[2]))
    # a hair more: these numbers are no binary ones
    return abs(float(one) - float(other)) <= max(TOLERANCE, 10.0**-decimals) * (1 + 1e-9)


@dataclass
class Runner:
    """Runs the blocks of one page in one folder.

    Attributes
    ----------
    printed
        What the last block printed.
    """

    folder: Path
    environment: dict[str, str]
    printed: str = ""
    _python: subprocess.Popen | None = field(default=None, repr=False)

    def run(self, block):
        """Run a block; return what is wrong, or nothing."""
        if any(block.said("not run")):
            return ""
        for name in (*block.said("file"), *block.said("site file")):
            (self.folder / name).write_text(block.text)
        varies = block.said("varies")
        if block.said("output"):
            return difference(block.text, self.printed, varies)
        if block.language == "console":
            return self._run_commands(block, varies)
        if block.language == "python" and not block.said("file"):
            return self._run_python(block.text)
        if block.language == "toml" and not block.said("site file"):
            return _wrong_toml(block.text)
        return ""

    def close(self):
        """End the interpreter."""
        if self._python is not None:
            self._python.stdin.close()
            self._python.wait()
            self._python.stdout.close()

    def _run_commands(self, block, varies):
        for command, shown in commands(block.text):
            run_here = command
            for change in block.said("instead"):
                old, _, new = change.partition(" => ")
                run_here = run_here.replace(old, new)
            is_endless = any(command.startswith(one) for one in block.said("ended by Ctrl-C"))
            code = self._run_command(run_here, len(shown.splitlines()) if is_endless else None)
            if code:
                return f"$ {run_here}\nends with {code}:\n{self.printed}"
            if shown and (wrong := difference(shown, self.printed, varies)):
                return f"$ {run_here}\n{wrong}"
        return ""

    def _run_command(self, command, n_lines):
        """Run a command to its end, or until it has printed some lines; return its exit code."""
        with subprocess.Popen(
            ["bash", "-c", command if n_lines is None else f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            timer = threading.Timer(TIMEOUT_S, process.kill)
            timer.start()
            if n_lines is None:
                self.printed = process.stdout.read()
            else:
                self.printed = "".join(islice(process.stdout, n_lines))
                process.send_signal(signal.SIGINT)
                process.stdout.read()
            code = process.wait()
            timer.cancel()
        ended_so = (-signal.SIGINT, 128 + signal.SIGINT)
        return 0 if n_lines is not None and code in ended_so else code

    def _run_python(self, text):
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, "-c", INTERPRETER],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self._python.stdin.write(json.dumps(text) + "\n")
        self._python.stdin.flush()
        is_ok, self.printed = json.loads(self._python.stdout.readline())
        return "" if is_ok else self.printed


def _wrong_toml(text):
    from molloop.config.load import parse
    from molloop.errors import InputError

    try:
        parse(text)
    except (tomllib.TOMLDecodeError, InputError) as error:
        return str(error)
    return ""
