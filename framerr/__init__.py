"""Framerr: a time machine for Framer sites that you host yourself."""

__version__ = "0.1.0"
