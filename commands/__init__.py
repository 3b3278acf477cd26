"""The command line: every module here is a command of `scrapy`."""
