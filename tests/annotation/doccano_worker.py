"""Runs under doccano's own Python: import tasks and labels by doccano's code, tick as its users would, export by it.

    python doccano_worker.py EXPORTED_FOLDER ANSWERS.json OUT.zip [--shared]

ANSWERS.json: user name → text → labels to tick. With --shared all users work on one set of labels, the importer's too.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import backend


def main(folder: Path, answers: Path, out: Path, shared: bool) -> None:
    home = out.parent / "doccano-home"
    home.mkdir()
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{home}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "SECRET_KEY": "test",
    }
    sys.path.insert(0, str(Path(backend.__file__).parent))
    import django
    from django.conf import settings

    django.setup()
    settings.MEDIA_ROOT = str(home)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("create_roles", verbosity=0)
    from data_export.celery_tasks import export_dataset
    from data_import.datasets import load_dataset
    from data_import.pipeline.catalog import create_file_format
    from data_import.pipeline.readers import FileName
    from django.contrib.auth.models import User
    from examples.models import Example
    from label_types.models import CategoryType
    from label_types.serializers import CategoryTypeSerializer
    from label_types.views import camel_to_snake_dict
    from labels.models import Category
    from projects.models import Member, ProjectType, TextClassificationProject
    from roles.models import Role

    given = json.loads(answers.read_text(encoding="utf-8"))
    users = {name: User.objects.create_user(name) for name in ("admin", *given)}
    project = TextClassificationProject.objects.create(
        name="naba",
        description="test",
        project_type=ProjectType.DOCUMENT_CLASSIFICATION,
        created_by=users["admin"],
        collaborative_annotation=shared,
    )
    for name, user in users.items():
        role = Role.objects.get(name=settings.ROLE_PROJECT_ADMIN if name == "admin" else settings.ROLE_ANNOTATOR)
        Member.objects.get_or_create(project=project, user=user, defaults={"role": role})
    types = list(map(camel_to_snake_dict, json.loads((folder / "labels.json").read_text(encoding="utf-8"))))
    serializer = CategoryTypeSerializer(data=types, many=True)
    serializer.is_valid(raise_exception=True)
    serializer.save(project_id=project.id)
    keys = [(kind.prefix_key, kind.suffix_key) for kind in CategoryType.objects.all() if kind.suffix_key]
    if len(keys) != len(set(keys)):
        raise SystemExit("a shortcut is given twice")
    tasks = str(folder / "tasks.jsonl")
    dataset = load_dataset("", create_file_format("JSONL"), [FileName(tasks, tasks, "tasks.jsonl")], project)
    dataset.save(users["admin"])
    if dataset.errors:
        raise SystemExit(str([error.dict() for error in dataset.errors]))
    offered = {kind.text: kind for kind in CategoryType.objects.filter(project=project)}
    if len(offered) != len(types):
        raise SystemExit(f"the tasks brought labels that labels.json lacks: {sorted(offered)}")
    for name, texts in given.items():
        for text, ticked in texts.items():
            example = Example.objects.get(project=project, text=text)
            if shared:  # the labels of a shared project are mended in place
                Category.objects.filter(example=example).delete()
            for label in ticked:
                Category.objects.create(example=example, user=users[name], label=offered[label])
    shutil.move(export_dataset(project.id, "JSONL", False), out)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), shared="--shared" in sys.argv)
