"""The download handler: plain HTTP, streamed files, and browser pages."""
