#!/usr/bin/env bash
# pydantic 2.13.4 (pydantic-core 2.46.4), seen on 2026-11-29.
#
# `validate_json` refuses texts that the standard library's json writes and reads: `json.dumps` keeps
# a lone surrogate (what `os.fsdecode` makes of a file name that is no UTF-8) as an escape such as
# \udcff, which `json.loads` reads back. pydantic calls the whole document invalid JSON, not one
# field wrong. `validate_python` takes the same text as a `str`.
#
# Seen:
#   json.loads: '\udcff'
#   validate_json: json_invalid, lone leading surrogate in hex escape
#   validate_python: accepted
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.13.4
cat > "$folder/seen" <<'SEEN'
json.loads: '\udcff'
validate_json: json_invalid, lone leading surrogate in hex escape
validate_python: accepted
SEEN
cat > "$folder/read.py" <<'PYTHON'
import json
import os
import re

from pydantic import TypeAdapter, ValidationError

name = os.fsdecode(b"\xff")
text = json.dumps(name)
print("json.loads:", ascii(json.loads(text)))
adapter = TypeAdapter(str)
for read, value in ((adapter.validate_json, text), (adapter.validate_python, name)):
    try:
        read(value)
        told = "accepted"
    except ValidationError as error:
        [first] = error.errors()
        found = re.search("lone leading surrogate in hex escape", first["msg"])
        told = f"{first['type']}{f', {found[0]}' if found else ''}"
    print(f"{read.__name__}: {told}")
PYTHON

"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"
