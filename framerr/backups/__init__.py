"""The appliance's own backups: made, proven, kept, inspected, restored.

Promise: what is listed as good was read back member by member; nothing is deleted before its successor is proven; a
restore or a crash leaves the old state or the new one, whole, and says which.
Prohibitions: knows nothing of HTTP, of jobs' queues or of who may do what; a room's files and manifest section come in
as a `Contribution`, and the archive does not know what they mean.
"""
