"""Pictures for a page: matplotlib draws, the browser sets the text and gives the colours of its theme.

Text stays text, so that a browser shapes Arabic, finds words and reads them out; every colour of the palette becomes a
class of the page's style sheet, with the light colour left in place for a picture that is saved by itself. Nothing in a
picture depends on the time or on other pictures of the page: the same values give the same bytes.

    picture("systems", "Systems side by side", (8, 3), lambda figure: …)
"""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from naba.evaluation.page.visible import visible

# Okabe and Ito 2008, "Color universal design": told apart by the colour-blind too.
BLUE, ORANGE = "#0072b2", "#d55e00"
INK, MUTED, LINE, PAPER = "#1c2126", "#56606b", "#d5dae0", "#ffffff"
_CLASSES = {
    BLUE: "blue",
    ORANGE: "orange",
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    PAPER: "paper",
}
"""Colour → the variable of style.css that takes its place."""

_STYLE: dict[str, Any] = {
    "svg.hashsalt": "naba",  # else every file has its own names inside
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "text.color": INK,
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
_PIXELS = 96 / 72
"""CSS pixels in a point, the unit of the drawing."""
_TEXT_PROPERTIES = {"font-size", "font-weight", "font-style", "text-anchor"}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_WITH_NUMBERS = ("d", "x", "y", "transform", "points", "width", "height")


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing, ready for the page."""

    name: str
    title: str
    svg: Markup


def picture(name: str, title: str, size: tuple[float, float], draw: Callable[[Any], None]) -> Picture:
    """Draw on a matplotlib figure of this size in inches.

    Args:
        name: what its ids begin with; one of its kind on a page. title: what it shows, for those who cannot see it.
    """
    import matplotlib
    from matplotlib.figure import Figure  # not pyplot: it would look for a screen

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has the glyphs, the measuring font may not
        figure = Figure(figsize=size)
        draw(figure)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    return from_svg(name, title, drawn.getvalue())


def from_svg(name: str, title: str, drawn: str) -> Picture:
    """An SVG of matplotlib's made fit to stand in a page beside others, without any style of its own."""
    root = ElementTree.fromstring(drawn)
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", drawn))
    for parent in root.iter():
        for child in [child for child in parent if child.tag.rpartition("}")[2] in ("metadata", "style")]:
            parent.remove(child)
    for element in root.iter():
        _clean(element, name, used)
    root.attrib.clear()
    root.attrib |= {
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width * _PIXELS:.0f}",
        "height": f"{height * _PIXELS:.0f}",
        "stroke-linejoin": "round",
        "font-family": "sans-serif",
        "role": "graphics-document document",
        "aria-labelledby": f"{name}-title",
    }
    label = ElementTree.Element("title", {"id": f"{name}-title"})
    label.text = visible(title)
    root.insert(0, label)
    return Picture(name, title, Markup(ElementTree.tostring(root, encoding="unicode")))


def _clean(element: ElementTree.Element, name: str, used: set[str]) -> None:
    """No namespaces, no style attributes (which the page's policy forbids), ids of this picture only."""
    element.tag = element.tag.rpartition("}")[2]
    element.text = _without_layout(element.text, element.tag)
    element.tail = None
    given, classes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}, []
    for declaration in given.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if element.tag == "text" and key not in _TEXT_PROPERTIES and key not in ("fill", "opacity"):
            continue
        if key:
            given[key] = value
    for key, kind in (("fill", "f"), ("stroke", "s")):
        if given.get(key) in _CLASSES:
            classes.append(f"{kind}-{_CLASSES[given[key]]}")
    if classes:
        given["class"] = " ".join(classes)
    if given.get("id") not in used:
        given.pop("id", None)
    else:
        given["id"] = f"{name}-{given['id']}"
    for key in ("href", "clip-path"):
        if key in given:
            given[key] = given[key].replace("#", f"#{name}-")
    for key in _WITH_NUMBERS:
        if key in given:
            given[key] = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", " ".join(given[key].split()))
    if given.get("transform", "").startswith("rotate(-0 "):
        del given["transform"]
    element.attrib.clear()
    element.attrib |= given


def _without_layout(text: str | None, tag: str) -> str | None:
    return text if tag in ("text", "tspan", "title") else None
