"""Where files are kept: a folder, an SMB share or an S3 bucket."""
