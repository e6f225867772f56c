"""Imageplane: image bytes and an ordered list of operations in, the right picture out."""
