"""Ground floor: errors, configuration, folders, files, database, keys, archives.

Promise: every door to the disk, the database and cryptography is one module here, and says what it guarantees.
Prohibitions: knows nothing of the rooms above it, of HTTP or of a person who is signed in.
"""
