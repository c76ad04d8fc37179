"""What the progress of a job tells: records in step with the segments that are done of them, and segments a second."""

import time

from naba.progress import Advance


class Pace:
    """Turns the segments that an engine finishes into the records of a job."""

    def __init__(self, advance: Advance) -> None:
        self._advance, self._start, self._done = advance, time.perf_counter(), 0

    def of_shard(self, records: int, segments: int) -> "ShardPace":
        """For the next shard, of so many records and segments."""
        return ShardPace(self, records, segments)

    def tell(self, records: int, segments: int) -> None:
        """So many more are done."""
        self._done += segments
        seconds = time.perf_counter() - self._start
        self._advance(records, f"{self._done / seconds:,.0f} segments/s" if self._done and seconds else "")


class ShardPace:
    """One shard's part of it; `segments` is told by the engine, `finished` when the shard is written."""

    def __init__(self, pace: Pace, records: int, segments: int) -> None:
        self._pace, self._records, self._segments = pace, records, segments
        self._done = self._told = 0

    def segments(self, count: int, note: str) -> None:
        """An `Advance`: so many more segments are scored. Repeated ones are never told, as they are not scored."""
        self._done += count
        records = min(self._records, self._records * self._done // max(1, self._segments))
        self._pace.tell(records - self._told, count)
        self._told = records

    def finished(self) -> None:
        """All records are done; segments that repeat others count as labelled now."""
        self._pace.tell(self._records - self._told, max(0, self._segments - self._done))
        self._told = self._records
