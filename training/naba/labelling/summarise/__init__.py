"""From labelled segments to what articles say, and to shares over time and by outlet.

article_topics (one article) → trends (counts of periods and sources) → tables (CSV), pictures, page; job does it all.
"""
