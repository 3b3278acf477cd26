"""How people type it: every module here is a command of `scrapy`."""
