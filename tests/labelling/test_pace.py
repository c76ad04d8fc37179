from naba.labelling.pace import Pace


def test_records_follow_the_segments_and_add_up() -> None:
    told: list[tuple[int, str]] = []
    pace = Pace(lambda count, note: told.append((count, note)))
    shard = pace.of_shard(records=4, segments=10)
    shard.segments(5, "")  # half of the segments: two of four records
    shard.segments(3, "")  # the other two repeat some of these
    shard.finished()
    shard = pace.of_shard(records=3, segments=0)  # three that were set aside
    shard.finished()
    assert [count for count, _ in told] == [2, 1, 1, 3]
    assert told[0][1].endswith(" segments/s")
