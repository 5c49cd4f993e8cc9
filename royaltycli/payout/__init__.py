"""From a token table to a payout: pure, no files, no clock, no terminal."""
