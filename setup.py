"""For `scrapyd-deploy`, which would write a setup.py of its own; everything else is in pyproject.toml."""

from setuptools import setup

setup()
