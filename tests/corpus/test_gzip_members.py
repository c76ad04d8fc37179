import gzip
import io
import random

import pytest

from naba.corpus.gzip_members import DamagedError, GzipMembers

# Bytes that do not shrink, so that every packed byte counts.
PARTS = [random.Random(i).randbytes(5000) for i in range(4)]
MEMBERS = [gzip.compress(part, mtime=0) for part in PARTS]


def unpack(data: bytes, size: int = 1000) -> tuple[bytes, list[tuple[str, bool]]]:
    """What is read in steps of `size`, and the damage met on the way."""
    stream, found, damage = GzipMembers(io.BytesIO(data)), b"", []
    while True:
        buffer = bytearray(size)
        try:
            count = stream.readinto(buffer)
        except DamagedError as error:
            damage.append((str(error), error.at_start))
            continue
        if not count:
            return found, damage
        found += buffer[:count]


@pytest.mark.parametrize("size", [1, 999, 1 << 20])
def test_members_are_one_stream_and_zeros_between_them_are_passed_over(size: int) -> None:
    assert unpack(MEMBERS[0] + b"\0" * 70_000 + MEMBERS[1] + b"\0\0", size) == (PARTS[0] + PARTS[1], [])
    assert unpack(b"", size) == (b"", [])


def test_reading_goes_on_at_the_member_after_the_damaged_one() -> None:
    wrong = bytearray(MEMBERS[1])
    wrong[-6] ^= 1  # in its checksum
    found, damage = unpack(MEMBERS[0] + bytes(wrong) + MEMBERS[2])
    # The last step, which meets the checksum, gives nothing.
    assert found == PARTS[0] + PARTS[1][:4000] + PARTS[2]
    assert [(reason[:12], at_start) for reason, at_start in damage] == [("damaged gzip", False)]


def test_what_is_no_member_is_told_once_and_spoils_nothing_before_it() -> None:
    found, damage = unpack(MEMBERS[0] + b"no gzip" * 20_000 + MEMBERS[1])
    assert found == PARTS[0] + PARTS[1]
    assert damage == [("no gzip where a member should begin", True)]


@pytest.mark.parametrize("left", [1, 5, 12, 3000, len(MEMBERS[1]) - 1])
def test_cut_member_is_damage(left: int) -> None:
    found, damage = unpack(MEMBERS[0] + MEMBERS[1][:left])
    assert found[:5000] == PARTS[0]
    assert len(damage) == 1


def test_start_that_is_cut_by_the_pieces_in_which_the_file_is_read_is_found() -> None:
    for shift in range(4):
        found, damage = unpack(b"x" * ((1 << 16) - shift) + MEMBERS[0])
        assert (found, len(damage)) == (PARTS[0], 1)
