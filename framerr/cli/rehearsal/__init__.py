"""The demo and the rehearsal of the main job: sample data, real processes, a browser without a screen, a comparison.

Promise: everything goes through the doors that people use. Prohibitions: nothing here is used by the product itself.
"""
