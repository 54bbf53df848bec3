"""The numbers behind digests and dashboard, over the rows that the store hands out. Pure."""
