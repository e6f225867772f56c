"""Requests that are answered later, while processes are killed and receivers fail: is every one answered, and once?"""
