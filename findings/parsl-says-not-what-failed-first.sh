#!/usr/bin/env bash
# parsl 2026.10.26, seen on 2026-12-01.
#
# A task whose input failed raises a DependencyError. One would expect its text to hold that of the
# error behind it, as the log that a user reads has this text alone. It names tasks by their numbers
# and no error, however few steps lie between. The error is there as `__cause__`, already the first
# one of a chain of tasks, not the next.
#
# Seen:
#   third task: DependencyError
#   its text: Dependency failure for task 2. The representative cause is via task 1 <- task 0
#   holds the first error's text: False
#   __cause__: OSError: no space left
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check parsl==2026.10.26
cat > "$folder/seen" <<'SEEN'
third task: DependencyError
its text: Dependency failure for task 2. The representative cause is via task 1 <- task 0
holds the first error's text: False
__cause__: OSError: no space left
SEEN
cat > "$folder/ask.py" <<'PYTHON'
import parsl
from parsl.config import Config
from parsl.executors import ThreadPoolExecutor


@parsl.python_app
def first():
    raise OSError("no space left")


@parsl.python_app
def after(before):
    return before


with parsl.load(Config(executors=[ThreadPoolExecutor()], usage_tracking=0)):
    error = after(after(first())).exception()
text = str(error)
print("third task:", type(error).__name__)
print("its text:", text)
print("holds the first error's text:", "no space left" in text)
print(f"__cause__: {type(error.__cause__).__name__}: {error.__cause__}")
PYTHON

cd "$folder"
"$folder/venv/bin/python" "$folder/ask.py" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"
