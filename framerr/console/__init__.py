"""The door for commands: one table of actions, done here on a stopped instance, asked of the process that runs it else.

Promise: only the holder of the folder lock writes. A command behaves the same on both sides, and ends with the outcome
of what it started.
Prohibitions: prints nothing and asks nothing (that is `cli`), listens on no network (a Unix socket, for this user only).
"""
