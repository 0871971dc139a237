"""ZIP archives: the only door to them.

Promise: what ZipWriter finishes is whole, and of an archive it did not finish nothing readable is left; what
`open_archive` opens was checked before a byte is unpacked, and what it hands out is what the archive says, to the byte.
Prohibitions: knows no backup, no manifest, no folder of the appliance; decides no file names on disk; starts no process.
"""

from framerr.core.zips.deflate import ENGINE
from framerr.core.zips.limits import Limits
from framerr.core.zips.names import check_name
from framerr.core.zips.reader import Proof, Span, ZipReader, open_archive
from framerr.core.zips.writer import Member, ZipWriter, is_compressed

__all__ = [
    "ENGINE",
    "Limits",
    "Member",
    "Proof",
    "Span",
    "ZipReader",
    "ZipWriter",
    "check_name",
    "is_compressed",
    "open_archive",
]
