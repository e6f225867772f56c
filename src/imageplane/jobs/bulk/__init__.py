"""One recipe for a whole library: items from a manifest, a folder or a store, made chunk by chunk, never made twice.

A source streams items, which are cut into chunks; a chunk is the unit of work, and its record at the destination says
what was made. Nothing here grows with the number of items.
"""
