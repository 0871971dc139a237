"""How much an archive may ask for before it is refused. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn, Self

from framerr.core.errors import LimitExceeded
from framerr.core.files import size_in_words
from framerr.core.zips.deflate import HIGHEST_RATIO
from framerr.core.zips.names import shown
from framerr.core.zips.records import Record

_HARMLESS = 1 << 20
_DIRECTORY_PER_MEMBER = 512
_SMALLEST_DIRECTORY_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to (T25: 10^5 members, a 1000:1 bomb).

    `ratio` is unpacked to packed bytes, for a member and for all together; it does not count below 1 MiB. The writer
    stays under it.
    """

    members: int = 50_000
    total_size: int = 64_000_000_000
    member_size: int = 64_000_000_000
    ratio: int = HIGHEST_RATIO

    @classmethod
    def up_to(cls, total_size: int) -> Self:
        """The defaults, with room for `total_size` bytes in one member or in many."""
        return cls(total_size=total_size, member_size=total_size)

    def check_directory(self, members: int, directory_size: int) -> None:
        """Raises LimitExceeded before the directory itself is read into memory."""
        if members > self.members:
            _exceeded(f"The archive lists {members:,} files; at most {self.members:,} are accepted")
        if directory_size > max(_SMALLEST_DIRECTORY_LIMIT, self.members * _DIRECTORY_PER_MEMBER):
            _exceeded(f"The archive's list of files alone is {size_in_words(directory_size)} long")

    def check(self, records: Iterable[Record]) -> None:
        """Raises LimitExceeded when the sizes that the directory declares are too much. Reading holds it to them."""
        total = packed = 0
        for record in records:
            if record.size > self.member_size:
                _exceeded(
                    f"{shown(record.name)} would unpack to {size_in_words(record.size)}; "
                    f"a file may have {size_in_words(self.member_size)}"
                )
            self._check_ratio(shown(record.name), record.size, record.packed_size)
            total += record.size
            packed += record.packed_size
        if total > self.total_size:
            _exceeded(
                f"The archive would unpack to {size_in_words(total)}; {size_in_words(self.total_size)} are accepted"
            )
        self._check_ratio("The archive", total, packed)

    def _check_ratio(self, what: str, size: int, packed: int) -> None:
        if size > _HARMLESS and size > self.ratio * packed:
            _exceeded(
                f"{what} would unpack from {size_in_words(packed)} to {size_in_words(size)}, "
                f"more than {self.ratio} times its size, as only archives made to fill disks do"
            )


def _exceeded(what: str) -> NoReturn:
    raise LimitExceeded(f"{what}. Use another archive, or raise the archive limit if you trust this one.")
