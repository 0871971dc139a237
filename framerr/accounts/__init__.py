"""Who may come in: people, their passwords, their sessions and their pictures.

Promise: a password is only ever kept as an Argon2id hash, a session token only as its SHA-256, and guessing grows slow
without locking the owner out. Prohibitions: knows nothing of requests and cookies, and writes no audit entries; whoever
calls does.
"""
