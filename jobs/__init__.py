"""When and where crawls run."""
