"""The append-only record of periods, balances and payments (docs/spec-ledger.md)."""
