"""The plain portal: server-rendered HTML with a form sign-in, for the core's own tests and the benchmarks."""
