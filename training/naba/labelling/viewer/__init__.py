"""Labelled articles as one page to read and filter in a browser: `naba show`.

    write_page([Path("labelled.jsonl")], Path("labelled.html"))

view chooses what is shown of each article, tints gives topics their colours, write puts both into templates/ with
viewer.css and viewer.js, in the frame and the colours that the pages of evaluations have.
"""

from naba.labelling.viewer.write import write_page

__all__ = ["write_page"]
