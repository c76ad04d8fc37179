"""Annotation round trip: segments out to Label Studio, doccano, Argilla or Prodigy, people's answers back as votes.

    export_tasks("label-studio", make_tasks(segments, suggestions), schema, folder)
    imported = import_votes("label-studio", [folder / "export.json"], schema)

Each tool is a module with `write`, `read` and `NEXT` (what to do in the tool); `tasks` is what they share, `answers`
says what can be answered, `instructions` tells annotators.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from naba.annotation import argilla, doccano, label_studio, prodigy
from naba.annotation.tasks import Imported, Suggestion, Task, collect, load_names, load_segments, make_tasks
from naba.errors import DataError
from naba.schema import LabelSchema

__all__ = [
    "TOOLS",
    "Imported",
    "Suggestion",
    "Task",
    "export_tasks",
    "import_votes",
    "load_names",
    "load_segments",
    "make_tasks",
]

TOOLS: Mapping[str, ModuleType] = {module.TOOL: module for module in (label_studio, doccano, argilla, prodigy)}


def export_tasks(tool: str, tasks: Sequence[Task], schema: LabelSchema, folder: Path) -> list[Path]:
    """Write a tool's tasks, interface and instructions into a folder; returns the files. Raises DataError."""
    return list(TOOLS[tool].write(folder, tasks, schema))


def import_votes(
    tool: str,
    paths: Sequence[Path],
    schema: LabelSchema,
    names: Mapping[str, str] | None = None,
    *,
    adjudicated: bool = False,
) -> Imported:
    """Read a tool's exports into votes, one for each segment and annotator.

    Args:
        names: what the tool calls an annotator → the name in the votes.
        adjudicated: mark the votes as the last word.

    Raises DataError naming file and place for what the tool did not export from naba's tasks, or no vote at all.
    """
    imported = collect(TOOLS[tool].read(paths, schema), names or {}, adjudicated=adjudicated)
    if not imported.votes:
        told = ", ".join(f"{len(places):,} {reason}" for reason, places in imported.left_out.items()) or "nothing in it"
        raise DataError(f"{', '.join(map(str, paths))}: no submitted answer ({told})")
    return imported
