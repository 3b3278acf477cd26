"""The plain portal's spiders: what the core's own tests and the benchmarks crawl."""
