"""The tournament's data: snapshots of its files, views of their columns, synthetic samples."""
