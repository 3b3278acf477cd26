"""Item pipelines: validate, store files, store records, upload, and close runs."""
