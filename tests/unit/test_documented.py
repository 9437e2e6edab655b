"""That what runs the documentation's blocks sees what is wrong with them."""

import os
import sys
from pathlib import Path

import pytest
from documented import Block, Runner, blocks, commands, difference, unmarked

TABLE = """\
┏━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━┓
┃ SMILES ┃ IE (eV) ┃ time (s) ┃
┡━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━┩
│ O      │  18.294 │     0.03 │
└────────┴─────────┴──────────┘
"""
PAGE = """\
Text, and `a command`.

<!-- not run: wants PBS -->
```console
$ qsub job
```

<!-- lost: text stands between -->
Text.

```python
x = 1
```

```{code-cell}
no block
```
"""


ENDLESS = "python -u -c 'print(1); import time; time.sleep(60)'"


@pytest.fixture
def runner(tmp_path):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    one = Runner(tmp_path, os.environ | {"PATH": path})
    yield one
    one.close()


def test_blocks_with_the_comments_just_before_them():
    first, second = blocks(PAGE)
    assert first == Block(4, "console", "$ qsub job\n", ("not run: wants PBS",))
    assert first.said("not run") == ["wants PBS"]
    assert second == Block(11, "python", "x = 1\n")


def test_a_comment_for_a_whole_page():
    page = "<!-- no block of this page is run: hours -->\n\n# Title\n\n```text\nx\n```\n"
    assert unmarked(blocks(page)[0]) == ""


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (Block(1, "text", "x\n"), "<!-- output -->"),
        (Block(1, "bash", "ls\n"), "language 'bash'"),
        (Block(1, "", "ls\n"), "language ''"),
        (Block(1, "console", "ls\n"), "begins with $"),
        (Block(1, "text", "x\n", ("not run:",)), "<!-- output -->"),  # without a reason
    ],
)
def test_a_block_that_is_not_run_must_say_why(block, says):
    assert says in unmarked(block)


def test_commands_with_what_they_print():
    text = "$ one \\\n  more\nprinted\n\n$ two\n"
    assert commands(text) == [("one \\\n  more", "printed\n"), ("two", "")]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("IE 18.294 eV in 0.03 s", "IE 18.298 eV in 2.5 s"),
        ("error 7.6%", "error 7.7%"),
        (TABLE, TABLE.replace("0.03", "1.97").replace("━", "━━")),
        ("a\n...\nc", "a\nb1\nb2\nc"),
        ("a\n...", "a\nb"),
        ("2 workers in 1.9 s: busy 92%", "2 workers in 3.2 s: busy 84%"),
    ],
)
def test_output_that_is_as_shown(shown, printed):
    assert difference(shown, printed) == ""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("IE 18.294 eV", "IE 18.300 eV"),
        ("24 values", "23 values"),
        ("error 7.6%", "error 7.8%"),
        (TABLE, TABLE.replace("18.294", "18.394")),
        (TABLE, TABLE.replace("│ O ", "│ N ")),
        ("a\nb", "b\na"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("a\n...\nc", "a\nb"),
        ("FC(F)(F)F", "FC(F)(F)C"),
    ],
)
def test_output_that_is_not_as_shown(shown, printed):
    assert difference(shown, printed) != ""


def test_what_varies_is_named():
    assert difference("link: x?token=f0", "link: x?token=17") != ""
    assert difference("link: x?token=f0", "link: x?token=17", [r"token=\S+"]) == ""


@pytest.mark.parametrize(
    "block",
    [
        Block(1, "console", "$ echo 18.29\n18.29\n"),
        Block(1, "console", "$ echo 100000\n1000\n", ("instead: 100000 => 1000",)),
        Block(1, "console", "$ python -c 'import molloop'\n"),
        Block(1, "console", f"$ {ENDLESS}\n1\n", ("ended by Ctrl-C: python",)),
        Block(1, "python", "import molloop\n"),
        Block(1, "toml", "[campaign]\nseed = 1\n"),
        Block(1, "console", "$ false\n", ("not run: it fails",)),
    ],
)
def test_a_right_block(runner, block):
    assert runner.run(block) == ""


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (Block(1, "console", "$ echo 18.39\n18.29\n"), "shown: 18.29"),
        (Block(1, "console", "$ echo no >&2; exit 3\n"), "ends with 3:\nno"),
        (Block(1, "console", f"$ {ENDLESS}\n2\n", ("ended by Ctrl-C: python",)), "shown: 2"),
        (Block(1, "python", "import molloop\nmolloop.walk()\n"), "no attribute 'walk'"),
        (Block(1, "toml", "[campaign]\nseeds = 1\n"), "Is campaign.seed meant?"),
        (Block(1, "toml", "[campaign\n"), "line 1"),
    ],
)
def test_a_wrong_block(runner, block, says):
    assert says in runner.run(block)


def test_files_interpreter_and_output_are_those_of_the_page(runner):
    page = [
        Block(1, "text", "C\nN\n", ("file: some.smi",)),
        Block(2, "console", "$ wc -l < some.smi\n2\n"),
        Block(3, "python", "n = open('some.smi').read()\n"),
        Block(4, "python", "print(n)\n"),
        Block(5, "text", "C\nN\n", ("output",)),
    ]
    assert [runner.run(block) for block in page] == [""] * 5
    assert "not shown: N" in runner.run(Block(6, "text", "C\n", ("output",)))
