"""What a person sets for the whole instance: values, the instance's identity, custom icons and the favicon.

Promise: every setting is declared once, in `schema`, and a value that is not valid is never stored nor believed.
Prohibitions: nothing that the environment decides (`core.config`), and nothing personal (`accounts`).
"""
