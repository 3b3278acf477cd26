"""
Who starts the crawls: the worker itself, Scrapyd, or Procrastinate. The queue, the schedules and the claims are the same for all.

An engine is chosen by LATCHKEY_ENGINE. Each has the methods of `jobs.engines.embedded.Engine`; what it cannot do itself,
the database does.
"""
