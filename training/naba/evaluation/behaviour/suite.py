"""A suite of behaviour tests: read from a folder of YAML files, run on anything that predicts.

CheckList (Ribeiro et al. 2020, "Beyond Accuracy", ACL) in Arabic: invariance, direction, minimum functionality. Every
distinct text is predicted once.

    suite = load_suite(Path("configs/behaviour"), labeller.schema)
    report = run_behaviour(lambda texts: [answer.present for answer in labeller.label(texts)], suite, labeller.schema)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from naba.config import load_config
from naba.errors import ConfigError, SchemaError
from naba.evaluation.behaviour.cases import Case, Decision, changed_cases, written_cases
from naba.evaluation.behaviour.material import Base, BehaviourFile, BehaviourTest, Kind
from naba.evaluation.behaviour.report import BehaviourReport, Outcome, TestResult
from naba.schema import LabelSchema

Predict = Callable[[Sequence[str]], Sequence[Decision]]


@dataclass(frozen=True)
class LoadedTest:
    """A test with its kind, its gate and its cases."""

    test: BehaviourTest
    kind: Kind
    at_least: float
    cases: Sequence[Case]


@dataclass(frozen=True)
class BehaviourSuite:
    """All tests of a folder."""

    tests: Sequence[LoadedTest]
    at_least: Mapping[Kind, float]
    """Share of all cases of a kind that a released model has to pass; kinds without a gate are not named."""
    bases: Sequence[Base]
    schema_fingerprint: str

    @property
    def texts(self) -> list[str]:
        """The distinct texts of all cases, in order."""
        return _distinct([case for test in self.tests for case in test.cases])


def load_suite(folder: Path, schema: LabelSchema) -> BehaviourSuite:
    """Read every YAML file of a folder; tests come in order of file and place.

    Raises ConfigError naming file, test and case for unknown keys, labels outside the schema, slots without words, a
    name given twice, or a test without cases.
    """
    paths = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if not paths:
        raise ConfigError(f"{folder}: no behaviour tests here; expected a folder of .yaml files")
    files = {path: load_config(BehaviourFile, path) for path in paths}
    slots = _merged_slots(files)
    bases = [base for path, file in files.items() for base in _checked_bases(path, file, schema)]
    tests: dict[str, LoadedTest] = {}
    for path, file in files.items():
        for test in file.tests:
            where = f"{path}: test {test.name!r}"
            if test.name in tests:
                raise ConfigError(f"{where}: the name is given twice; rename one")
            tests[test.name] = _load_test(test, file, slots, bases, schema, where)
    if not tests:
        raise ConfigError(f"{folder}: the files hold no 'tests'")
    return BehaviourSuite(list(tests.values()), _gates(files), bases, schema.fingerprint)


def run_behaviour(
    predict: Predict, suite: BehaviourSuite, schema: LabelSchema, segments: Sequence[str] = ()
) -> BehaviourReport:
    """Run every test.

    Args:
        predict: texts in, the decision on each, in their order.
        suite: the tests, loaded for the same schema.
        schema: the model's topics and stances.
        segments: real texts that the invariance tests change too, beside the suite's own base sentences.

    Raises:
        ConfigError: the suite was loaded for other topics or stances.
        TypeError: a single string was given as `segments`. ValueError: `predict` gave another number of answers.
    """
    if isinstance(segments, str):
        raise TypeError("run_behaviour() takes a list of segments; for one write [segment]")
    if suite.schema_fingerprint != schema.fingerprint:
        raise ConfigError(
            f"the behaviour tests were written for other topics or stances than schema {schema.name!r} has"
        )
    cases = {
        test.test.name: [
            *test.cases,
            *(changed_cases(test.test, segments, schema, given=True) if test.test.changes_bases else ()),
        ]
        for test in suite.tests
    }
    texts = _distinct([case for of_test in cases.values() for case in of_test])
    answers = predict(texts)
    if len(answers) != len(texts):
        raise ValueError(f"predict() gave {len(answers)} answers for {len(texts)} texts")
    decisions = dict(zip(texts, answers, strict=True))
    results = []
    for test in suite.tests:
        outcomes = [_outcome(case, decisions) for case in cases[test.test.name]]
        results.append(TestResult(test.test.name, test.kind, test.test.description, test.at_least, outcomes))
    return BehaviourReport(results, suite.at_least, len(texts), len(set(segments)))


def _outcome(case: Case, decisions: Mapping[str, Decision]) -> Outcome:
    seen = [decisions[text] for text in case.texts]
    return Outcome(case, [case.judged(decision) for decision in seen], case.passes(seen))


def _distinct(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(text for case in cases for text in case.texts))


def _gates(files: Mapping[Path, BehaviourFile]) -> dict[Kind, float]:
    gates: dict[Kind, float] = {}
    for file in files.values():
        if file.kind and file.kind_at_least is not None:
            gates[file.kind] = max(file.kind_at_least, gates.get(file.kind, 0.0))
    return gates


def _merged_slots(files: Mapping[Path, BehaviourFile]) -> dict[str, list[str]]:
    slots: dict[str, list[str]] = {}
    for path, file in files.items():
        for name, words in file.slots.items():
            if name in slots:
                raise ConfigError(f"{path}: slot {name!r} is given twice; slots are shared by all files of the folder")
            slots[name] = words
    return slots


def _checked_bases(path: Path, file: BehaviourFile, schema: LabelSchema) -> list[Base]:
    for number, base in enumerate(file.bases, start=1):
        try:
            schema.check(base.labels)
        except SchemaError as error:
            raise ConfigError(f"{path}: base sentence {number}: {error}") from None
    return file.bases


def _load_test(
    test: BehaviourTest,
    file: BehaviourFile,
    slots: Mapping[str, Sequence[str]],
    bases: Sequence[Base],
    schema: LabelSchema,
    where: str,
) -> LoadedTest:
    kind = test.kind or file.kind
    if kind is None:
        raise ConfigError(
            f"{where}: no 'kind', neither here nor at the head of the file; give invariance, direction or minimum"
        )
    if unknown := [topic for topic in test.topics if topic not in schema.topic_ids]:
        raise ConfigError(
            f"{where}: topic {unknown[0]!r} is not in the label schema; it has {', '.join(schema.topic_ids)}"
        )
    if kind == "invariance" and test.changes_bases:
        cases = changed_cases(test, [base.text for base in bases], schema)
    else:
        cases = written_cases(test, kind, slots, bases, schema, where)
    if not cases:
        raise ConfigError(f"{where}: no cases; no base sentence is changed by it")
    return LoadedTest(test, kind, file.at_least if test.at_least is None else test.at_least, cases)
