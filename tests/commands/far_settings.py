"""The project's settings, with portals, families and tables also from the folder that FAR_CODE names."""

import os
import sys

import database.models
import scrapers.families
from scrapers.settings import *  # noqa: F403 - the settings as they are

_code = os.environ["FAR_CODE"]
sys.path.insert(0, _code)
scrapers.families.__path__.append(f"{_code}/families")
database.models.__path__.append(f"{_code}/models")

SPIDER_MODULES = ["scrapers.portals", "far_portals"]
