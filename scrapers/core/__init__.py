"""The base of all spiders: jobs, runs, pages, outcomes, settings."""
