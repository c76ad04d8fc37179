"""A page as one file of HTML that loads nothing and runs nothing but its own style and script.

The policy in its head names both by hash, so that no text of the data could be run even if it got past the escaping.
"""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from naba.evaluation.page.comparison_view import comparison_view
from naba.evaluation.page.environment import asset, environment, policy
from naba.evaluation.page.report_view import contents, report_drawings, report_view
from naba.evaluation.page.shown_mistakes import Limits

LARGEST = 3_000_000
"""Bytes of a page: what opens at once and can be sent by mail."""
_LIMITS = (Limits(50, 2000), Limits(50, 600), Limits(15, 300), Limits(5, 200), Limits(0, 0))
"""What a page shows of the data; less, when it would be too large."""


def html_report(report: Mapping[str, Any]) -> str:
    """The page of an evaluation, under 3 MB, from the content of report.json (format 2 or 3)."""
    drawings = report_drawings(report)
    html = ""
    for limits in _LIMITS:
        variables = report_view(report, limits) | drawings
        html = _render("report.html.j2", variables | {"entries": contents(variables)})
        if len(html.encode()) < LARGEST:
            break
    return html


def html_comparison(comparison: Mapping[str, Any]) -> str:
    """The page of a comparison of runs, from the content of comparison.json."""
    return _render("comparison.html.j2", comparison_view(comparison))


def _render(template: str, variables: Mapping[str, Any]) -> str:
    style, script = asset("style.css"), asset("page.js")
    return environment().get_template(template).render(
        **variables, style=Markup(style), script=Markup(script), policy=policy(style, script)
    )  # fmt: skip
