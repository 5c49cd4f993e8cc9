"""The append-only record of periods, balances and payments (docs/spec-ledger.md).

`booking` closes periods and restates them, `payments` settles, `transfers` and `escrow` are what their names say. Each
makes a `chain.Posting` of a `state.State`, and `journal` alone knows the database that it is written into.

What a close books is computed in `closing`, `entitlements` and `below`, from `inputs` of which copies are kept;
`verification` computes all of it again.
"""
