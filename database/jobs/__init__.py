"""The queue of jobs: what is open, who has claimed it, what a run's end makes of it, and the breaker of each portal."""
