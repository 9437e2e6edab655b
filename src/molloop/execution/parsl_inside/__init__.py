"""What leans on Parsl's inside: names, files and words that its documentation does not promise.

Each module says in which version it was seen and why it is needed.
`tests/unit/execution/parsl_inside/test_contract.py` says in words what has changed in another one.
"""

# the version in which all of it was seen, and the first that pyproject.toml does not take. What is
# between was not tested: releases of the same year are taken, those of the next are not
SEEN = ("2026.10.26", "2027")
