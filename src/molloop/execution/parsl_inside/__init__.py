"""What leans on Parsl's inside: names, files and words that its documentation does not promise.

Each module says in which version it was seen and why it is needed.
`tests/unit/execution/parsl_inside/test_contract.py` says in words what has changed in another one.
"""

# the first version in which all of it was seen, and the first in which it may be otherwise:
# pyproject.toml asks for what is between
SEEN = ("2026.10.26", "2027")
