#!/usr/bin/env bash
# RDKit 2026.9.1 with CPython 3.11, seen on 2026-11-29.
#
# RDKit takes SIGINT while it searches for a pattern, so that Ctrl-C can end a long search, and gives
# it back afterwards. What it gives back is Python's handler, but with the flag by which the kernel
# goes on with a wait after a signal (SA_RESTART), which Python never sets. From then on Ctrl-C does
# not end a wait of the main thread, such as for a lock or a future: Python hears it when the wait
# ends by itself. Embedding and descriptors do the same. `signal.signal` with the same handler mends
# it until the next search; a wait with a limit, or `select.poll`, hears it at once.
#
# Seen, 3 s after a SIGINT:
#   no search: ended
#   a search for a pattern: still waits
#   a search, and the handler set anew: ended
#   a search, and waits with a limit: ended
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1
cat > "$folder/seen" <<'SEEN'
no search: ended
a search for a pattern: still waits
a search, and the handler set anew: ended
a search, and waits with a limit: ended
SEEN
cat > "$folder/read.py" <<'PYTHON'
import signal
import subprocess
import sys

BEGIN = """
import signal, threading
from rdkit import Chem

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
ethanol, carbon = Chem.MolFromSmiles("CCO"), Chem.MolFromSmarts("C")
"""
SEARCH = "ethanol.HasSubstructMatch(carbon)\n"
ANEW = "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
READY = "print('ready', flush=True)\n"
WAIT = "threading.Event().wait()\n"
CASES = {
    "no search": READY + WAIT,
    "a search for a pattern": SEARCH + READY + WAIT,
    "a search, and the handler set anew": SEARCH + ANEW + READY + WAIT,
    "a search, and waits with a limit": SEARCH + READY + f"while True:\n    {WAIT[:-2]}0.2)\n",
}
for name, code in CASES.items():
    command = [sys.executable, "-c", BEGIN + code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        running.stdout.readline()
        try:
            running.wait(0.5)  # so that it waits, too
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGINT)
        try:
            running.wait(3)
            print(f"{name}: ended", flush=True)
        except subprocess.TimeoutExpired:
            print(f"{name}: still waits", flush=True)
            running.kill()
PYTHON

"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"
