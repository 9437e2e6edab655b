"""The directive `models`: a table of all policies, from molloop's registry of models."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from molloop.config.settings import Settings
from molloop.search.policy import policy_named
from molloop.surrogate.registry import MODELS


class Models(SphinxDirective):
    """A table with a row a policy."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = ["| `--policy` | what it is | features | score |", "|---|---|---|---|"]
        default = Settings().search.policy
        for name, model in MODELS.own.items():
            policy = policy_named(name)
            shown = f"`{name}`" + (" (default)" if name == default else "")
            features = policy.features if policy.predicts else "none"
            rows.append(f"| {shown} | {model.summary} | {features} | {policy.acquisition} |")
        return self.parse_text_to_nodes("\n".join(rows))


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("models", Models)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
