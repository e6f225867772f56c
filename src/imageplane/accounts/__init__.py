"""Accounts: who may do what, and what it costs them."""
