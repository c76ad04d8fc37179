"""Pages to read in a browser: one file each, made from report.json or comparison.json alone.

    from naba.evaluation.page.render import html_report

    write_text(folder / "report.html", html_report(report))

tables, forests, curves and confusion make the parts; report_view and comparison_view choose them; render puts them into
templates/ with style.css and page.js.
"""
