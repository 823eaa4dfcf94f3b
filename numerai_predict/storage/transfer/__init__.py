"""Downloads and requests over HTTP and S3: redirects, headers, encodings, hashes and errors."""
