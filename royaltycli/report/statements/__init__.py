"""Statements: what a holder earned in a period, what was deducted and paid, and what is still owed."""
