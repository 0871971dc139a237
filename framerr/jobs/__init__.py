"""Work that runs by itself or takes long: when it is due, the queue that is also the history, and the threads.

Promise: a due time gives exactly one Run, a Run is executed by one thread, and whatever happens in it ends on its row.
Prohibitions: knows no kind of work (tasks are handed in), no web and no calendar but its own; only `ticker` knows
APScheduler.
"""
