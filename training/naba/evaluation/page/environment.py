"""What every page is made with: templates that escape, files that are put in whole, a policy that lets nothing else run.

    environment("naba.labelling.viewer").get_template("articles.html.j2").render(policy=policy(style, script), …)

A package's own templates come before those of this one, and may build on them.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from naba.evaluation.figures import figure
from naba.evaluation.page.visible import visible

PAGES = "naba.evaluation.page"
"""The package of the templates, style and script that pages share."""


@cache
def environment(package: str = PAGES) -> Environment:
    """Templates of a package: all text is escaped, and what steers other text is made visible."""
    found = Environment(
        loader=ChoiceLoader([PackageLoader(one) for one in dict.fromkeys((package, PAGES))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    found.filters["figure"] = figure
    return found


@cache
def asset(name: str, package: str = PAGES) -> str:
    """A style sheet or script of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> Markup:
    """A Content Security Policy under which this style and script run, and nothing is loaded."""
    return Markup(
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    """A source of the Content Security Policy, level 2, section 4.2.5: the text between the tags, and no other, may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
