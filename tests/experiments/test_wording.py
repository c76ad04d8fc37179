from naba.experiments.wording import counted


def test_number_and_word_agree() -> None:
    assert [counted(number, "cluster") for number in (0, 1, 1200)] == ["0 clusters", "1 cluster", "1,200 clusters"]
    assert counted(2, "segment shares", "segments share") == "2 segments share"
