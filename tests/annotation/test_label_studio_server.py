"""The round trip through a real Label Studio on loopback: `pytest -m external tests/annotation`.

Installs Label Studio into an environment of its own below the test's folder, unless NABA_LABEL_STUDIO names an executable.
"""

import http.cookiejar
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from naba.annotation import export_tasks, import_votes, make_tasks
from naba.annotation.tasks import Suggestion
from naba.records import LabelledSegment, TopicLabel, Vote
from naba.schema import LabelSchema
from tests.annotation.conftest import ROW
from tests.annotation.simulate import choices

pytestmark = pytest.mark.external

ADMIN = ("amal@example.org", "A-pass-phrase-1", "0123456789abcdef0123456789abcdef01234567")
OTHER = ("basim@example.org", "A-pass-phrase-2")
STARTED_WITHIN = 240
"""Seconds; the first start makes the database."""


@dataclass(frozen=True)
class Server:
    """A running Label Studio and the tokens of its users."""

    url: str
    tokens: dict[str, str]

    def call(self, method: str, path: str, body: Any = None, user: str = ADMIN[0]) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.tokens[user]}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            pytest.fail(f"{method} {path}: {error.code} {error.read()[:400]!r}")
        return json.loads(content) if content else None

    def download(self, project: int, kind: str, path: Path) -> Path:
        found = self.call("GET", f"/api/projects/{project}/export?exportType={kind}&download_all_tasks=true")
        path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("label-studio")
    executable = os.environ.get("NABA_LABEL_STUDIO") or install(home / "venv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    own = {"LABEL_STUDIO_BASE_DATA_DIR": str(home / "data"), "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true"}
    command = [executable, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    command += ["--username", ADMIN[0], "--password", ADMIN[1], "--user-token", ADMIN[2]]
    log = (home / "log.txt").open("wb")
    process = subprocess.Popen(command, env={**os.environ, **quiet, **own}, stdout=log, stderr=log, cwd=home)
    try:
        url = f"http://127.0.0.1:{port}"
        wait(url, process, home / "log.txt")
        yield Server(url, {ADMIN[0]: ADMIN[2], OTHER[0]: sign_up(url, *OTHER)})
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def install(folder: Path) -> str:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=300)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "label-studio"], check=True, timeout=1800)
    return str(folder / "bin" / "label-studio")


def wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(STARTED_WITHIN):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            time.sleep(1)
    pytest.fail(f"Label Studio did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


def sign_up(url: str, email: str, password: str) -> str:
    """A second user's token, by the page on which people sign up."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(jar)
    page = browser.open(f"{url}/user/signup/", timeout=60).read().decode()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', page)
    assert token
    form = {
        "csrfmiddlewaretoken": token[1],
        "email": email,
        "password": password,
        "how_find_us": "Other",
        "elaborate": "-",
    }
    headers = {"Referer": f"{url}/user/signup/"}
    body = urllib.parse.urlencode(form).encode()
    browser.open(urllib.request.Request(f"{url}/user/signup/", data=body, headers=headers), timeout=60).close()
    answer = json.loads(browser.open(f"{url}/api/current-user/token", timeout=60).read())
    return str(answer["token"])


@pytest.mark.parametrize("name", ["schema", "markets", "awkward"])
def test_answers_given_in_label_studio_come_back_as_votes(
    name: str, server: Server, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    schema: LabelSchema = request.getfixturevalue(name)
    stances, topics = schema.stance_ids, schema.topic_ids
    texts = ['يدعو الوزير إلى هدنة "فورية" <اليوم>', "نص\nمن سطرين \u200f", "بلا موضوع", "يُترك", "مسودة", "لم يُفتح"]
    items = [LabelledSegment.from_row({**ROW, "text": text, "labels": {}}, schema, "test") for text in texts]
    items.append(
        LabelledSegment.from_row({"text": texts[0], "labels": {}}, schema, "test")
    )  # stands in another place too

    def labels(*given: TopicLabel) -> dict[str, TopicLabel]:
        return {topic: given[number % len(given)] for number, topic in enumerate(topics)}

    absent, unknown, unclear = TopicLabel(False), TopicLabel(None), TopicLabel(True)
    first, last = TopicLabel(True, stances[0]), TopicLabel(True, stances[-1])
    mixed, sparse, none = labels(first, absent, unknown, unclear), labels(unclear, last), labels(absent)
    said = {
        (texts[0], ADMIN[0]): mixed,
        (texts[0], OTHER[0]): sparse,
        (texts[1], ADMIN[0]): none,
        (texts[2], OTHER[0]): labels(unknown),
    }
    suggested = [Vote(item, "model:m") for item in items[:2]]
    tasks = make_tasks(items, [Vote(LabelledSegment(vote.item.segment, sparse), "rule:r") for vote in suggested])
    scored = Suggestion("model:m", mixed, dict.fromkeys(topics, 0.5))
    tasks[0] = type(tasks[0])(tasks[0].items, (*tasks[0].suggestions, scored))
    export_tasks("label-studio", tasks, schema, tmp_path)

    config = (tmp_path / "config.xml").read_text(encoding="utf-8")
    server.call("POST", "/api/projects/validate", {"label_config": config})
    instructions = (tmp_path / "instructions.html").read_text(encoding="utf-8")
    project = server.call(
        "POST", "/api/projects", {"title": name, "label_config": config, "expert_instruction": instructions}
    )["id"]
    sent = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    answer = server.call("POST", f"/api/projects/{project}/import?return_task_ids=true", sent)
    assert (answer["task_count"], answer["prediction_count"]) == (6, 3)
    numbers = {task["data"]["text"]: number for task, number in zip(sent, answer["task_ids"], strict=True)}
    stored = server.call("GET", f"/api/tasks/{numbers[texts[0]]}")
    assert {prediction["model_version"] for prediction in stored["predictions"]} == {"rule:r", "model:m"}

    for (text, user), given in said.items():
        body = {"result": choices(given, schema), "lead_time": 4.5}
        server.call("POST", f"/api/tasks/{numbers[text]}/annotations", body, user)
    server.call(
        "POST", f"/api/tasks/{numbers[texts[3]]}/annotations", {"result": choices(none, schema), "was_cancelled": True}
    )
    server.call("POST", f"/api/tasks/{numbers[texts[4]]}/drafts", {"result": choices(mixed, schema)})
    # an answer given in haste and mended afterwards
    hasty = server.call(
        "POST", f"/api/tasks/{numbers[texts[1]]}/annotations", {"result": choices(mixed, schema)}, OTHER[0]
    )
    server.call("PATCH", f"/api/annotations/{hasty['id']}", {"result": choices(sparse, schema)}, OTHER[0])
    said[texts[1], OTHER[0]] = sparse

    users = {str(user["id"]): user["email"] for user in server.call("GET", "/api/users")}
    expected = {
        (item.segment.text, item.segment.article_id, user): json.dumps(
            LabelledSegment(item.segment, given).to_row()["labels"]
        )
        for item in items
        for (text, user), given in said.items()
        if text == item.segment.text
    }
    for kind in ("JSON", "JSON_MIN"):
        path = server.download(project, kind, tmp_path / f"{kind}.json")
        imported = import_votes("label-studio", [path], schema, users, adjudicated=True)
        rows = [vote.to_row() for vote in imported.votes]
        assert {
            (row["text"], row["article_id"], row["annotator"]): json.dumps(row["labels"]) for row in rows
        } == expected
        assert len(rows) == len(expected) == 7
        placed = next(row for row in rows if row["article_id"] is not None)
        assert {key: placed[key] for key in ROW} == ROW
        assert all(row["adjudicated"] for row in rows)
        assert placed["lead_time"] == 4.5
        left_out = {reason: len(places) for reason, places in imported.left_out.items()}
        # JSON-MIN leaves skipped tasks out, and shows a draft as a task without an answer
        assert left_out == ({"skipped": 1, "draft": 1, "unanswered": 1} if kind == "JSON" else {"unanswered": 2})
