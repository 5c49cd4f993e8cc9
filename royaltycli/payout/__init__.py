"""From a token table to a payout: pure, no files, no clock, no terminal.

Without a policy, all of it is in `payout.pay`: `basis` or `blend` weighs the sources, `allocation` shares whole minor
units out, and `splits` parts them among `holders`.

By a `policy`, `distribute` makes a `distribution`, in millionths of a minor unit: who takes part (`gates`), by which
`measures`, within which `bounds`, and what is deducted (`earnings`). `payments` says what is paid of it, and
`policy_payout` makes rows of that.

`listings`, `rows`, `columns` and `texts` are what the rows of a result are made of. `shares`, `comparison`,
`explanation` and `estimate` answer other questions.
"""
