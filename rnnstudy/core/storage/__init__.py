"""Folders of records: `arrays.npz`, and `meta.json`, whose checksum holds for both."""
