"""The first minutes of an instance: which step is next, who may take it, and what finishing means.

Promise: an instance is set up once, by one administrator, also when requests race. Prohibitions: knows no pages; a
restore itself is the business of `backups`.
"""
