"""One folder is one portal: its login and one file per report type."""
