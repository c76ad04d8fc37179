from naba.evaluation.figures import bracketed, figure, met, p_said, p_value, share, with_interval


def test_what_is_missing_is_a_dash() -> None:
    assert [figure(None), p_value(None), share(None), with_interval({"reason": "no"}, "pairs.f1")] == ["–"] * 4
    assert bracketed(None) == ""


def test_p_is_never_written_as_nothing() -> None:
    assert [p_value(p) for p in (0.0, 0.0009999, 0.001, 0.0496, 1.0)] == [
        "< 0.001",
        "< 0.001",
        "0.001",
        "0.050",
        "1.000",
    ]
    assert (p_said(0.0002), p_said(0.004), p_said(None)) == ("p < 0.001", "p = 0.004", "p = –")


def test_score_stands_with_its_interval() -> None:
    part = {"scores": {"pairs": {"f1": 0.625}}, "intervals": {"pairs.f1": [0.552, 0.695]}}
    assert with_interval(part, "pairs.f1") == "0.625 [0.552, 0.695]"
    assert with_interval(part | {"intervals": {"pairs.f1": None}}, "pairs.f1") == "0.625"
    assert with_interval(part, "pairs.recall") == "–"


def test_class_that_was_only_said_has_scores() -> None:
    assert met({"support": 0, "predicted": 2}) and met({"support": 1, "predicted": 0})
    assert not met({"support": 0, "predicted": 0})
