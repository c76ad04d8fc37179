import math

import torch

from naba.modelling.loss import joint_loss, known_labels
from naba.modelling.model import JointLogits
from naba.schema import UNKNOWN


def targets(
    presence: list[list[int]], stances: list[list[int]], width: int, weights: list[float] | None = None
) -> dict[str, torch.Tensor]:
    """Dense targets [B, T] and [B, T, width] from hard labels."""
    known, chosen = torch.tensor(presence), torch.tensor(stances)
    return {
        "topic_target": known.clamp(min=0).float(),
        "topic_known": (known != UNKNOWN).float(),
        "stance_target": torch.nn.functional.one_hot(chosen.clamp(min=0), width).float(),
        "stance_known": (chosen != UNKNOWN).float(),
        "weight": torch.tensor(weights or [1.0] * len(presence)),
    }


def loss(
    topic: list[list[float]], stance: list[list[list[float]]], presence: list[list[int]], stances: list[list[int]]
) -> torch.Tensor:
    logits = JointLogits(torch.tensor(topic, requires_grad=True), torch.tensor(stance, requires_grad=True))
    return joint_loss(logits, targets(presence, stances, len(stance[0][0])))


def test_loss_equals_the_hand_computed_value() -> None:
    # Topic: one known and present, logit 0 → −log ½. Stance: three equal logits → −log ⅓.
    value = loss([[0.0]], [[[1.0, 1.0, 1.0]]], [[1]], [[2]])
    assert math.isclose(value.item(), math.log(2) + math.log(3), rel_tol=1e-6)


def test_unknown_topics_and_absent_stances_have_no_part_in_it() -> None:
    known = loss([[2.0]], [[[0.0, 0.0]]], [[0]], [[UNKNOWN]])
    with_unknown = loss([[2.0, 9.0]], [[[0.0, 0.0], [5.0, -5.0]]], [[0, UNKNOWN]], [[UNKNOWN, UNKNOWN]])
    assert torch.isclose(known, with_unknown)


def test_weight_scales_a_segments_part_whatever_else_is_in_its_batch() -> None:
    # Logits 0: every topic term is −log ½, every stance term −log ⅓; batches are normalised by what is known in them.
    whole = math.log(2) + math.log(3)
    logits = JointLogits(torch.zeros(2, 1), torch.zeros(2, 1, 3))
    for weights in ([0.1, 0.1], [0.1, 1.0], [1.0, 1.0]):
        value = joint_loss(logits, targets([[1], [1]], [[0], [0]], 3, weights))
        assert math.isclose(value.item(), whole * sum(weights) / 2, rel_tol=1e-6)


def test_stance_weight_scales_the_second_term() -> None:
    logits = JointLogits(torch.zeros(1, 1), torch.zeros(1, 1, 3))
    value = joint_loss(logits, targets([[1]], [[0]], 3), stance_weight=0.5)
    assert math.isclose(value.item(), math.log(2) + math.log(3) / 2, rel_tol=1e-6)


def test_batch_without_any_label_gives_zero_and_a_finite_gradient() -> None:
    topic = torch.tensor([[3.0]], requires_grad=True)
    value = joint_loss(JointLogits(topic, torch.zeros(1, 1, 3)), targets([[UNKNOWN]], [[UNKNOWN]], 3))
    value.backward()
    assert value.item() == 0
    assert topic.grad is not None
    assert topic.grad.item() == 0


def test_smoothing_keeps_a_certain_answer_from_being_free() -> None:
    logits = JointLogits(torch.tensor([[50.0]]), torch.tensor([[[50.0, 0.0]]]))
    plain = joint_loss(logits, targets([[1]], [[0]], 2))
    smoothed = joint_loss(logits, targets([[1]], [[0]], 2), label_smoothing=0.1)
    assert plain.item() < 1e-6 < smoothed.item()


def test_focal_loss_is_cross_entropy_times_a_power_of_the_doubt() -> None:
    topic, stance = torch.tensor([[2.0]]), torch.tensor([[[1.0, 0.0, 0.0]]])
    wanted = targets([[1]], [[0]], 3)
    p, q = topic.sigmoid().item(), stance.softmax(-1)[0, 0, 0].item()
    value = joint_loss(JointLogits(topic, stance), wanted, focal_gamma=2.0)
    assert math.isclose(value.item(), -((1 - p) ** 2) * math.log(p) - (1 - q) ** 2 * math.log(q), rel_tol=1e-5)
    assert joint_loss(JointLogits(topic, stance), wanted) == joint_loss(
        JointLogits(topic, stance), wanted, focal_gamma=0.0
    )


def test_focal_loss_of_a_certain_answer_has_a_finite_gradient() -> None:
    topic = torch.tensor([[120.0]], requires_grad=True)
    joint_loss(JointLogits(topic, torch.zeros(1, 1, 3)), targets([[1]], [[UNKNOWN]], 3), focal_gamma=0.5).backward()
    assert topic.grad is not None
    assert torch.isfinite(topic.grad).all()


def test_parts_of_a_batch_add_up_to_its_loss() -> None:
    torch.manual_seed(0)
    topic, stance = torch.randn(5, 2), torch.randn(5, 2, 3)
    all_of = targets(
        [[1, 0], [0, 0], [1, UNKNOWN], [1, 1], [0, 1]], [[2, -100], [-100, -100], [0, -100], [1, 1], [-100, 0]], 3
    )
    known = known_labels(all_of)
    assert known.tolist() == [9, 5]
    whole = joint_loss(JointLogits(topic, stance), all_of)
    parts = [
        joint_loss(
            JointLogits(topic[start::2], stance[start::2]),
            {name: tensor[start::2] for name, tensor in all_of.items()},
            known=known,
        )
        for start in (0, 1)
    ]
    assert torch.isclose(sum(parts), whole)  # type: ignore[arg-type]
