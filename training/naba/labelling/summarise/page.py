"""The page of a summary: the style, policy and parts of naba's other pages, with a template of its own."""

from markupsafe import Markup

from naba.evaluation.page.environment import asset, environment, policy
from naba.labelling.summarise.pictures import topic_picture
from naba.labelling.summarise.span import span_of
from naba.labelling.summarise.view import Summary, drawn_topics, summary_view


def html_summary(summary: Summary) -> str:
    """One file of HTML that loads nothing and runs nothing but its own style and script."""
    trends = summary.trends
    span = span_of(trends, summary.outlets)
    pictures = {
        topic: topic_picture(f"topic-{number}", topic, trends.stances, span, trends.by)
        for number, topic in enumerate(drawn_topics(trends, span), start=1)
        if span
    }
    variables = summary_view(summary, span) | {"pictures": pictures}
    style, script = asset("style.css"), asset("page.js")
    template = environment("naba.labelling.summarise").get_template("summary.html.j2")
    return template.render(**variables, style=Markup(style), script=Markup(script), policy=policy(style, script))
