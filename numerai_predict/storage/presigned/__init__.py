"""Uploads to presigned URLs, by POST and by PUT."""
