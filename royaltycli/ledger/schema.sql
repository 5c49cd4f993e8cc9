CREATE TABLE transactions (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    moves INTEGER NOT NULL,
    parties INTEGER NOT NULL,
    periods INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

CREATE TABLE accounts (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE periods (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE parties (
    number INTEGER PRIMARY KEY,
    class TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE moves (
    number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    period INTEGER NOT NULL,
    from_account INTEGER NOT NULL,
    from_party INTEGER NOT NULL,
    to_account INTEGER NOT NULL,
    to_party INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (number, line)
) STRICT, WITHOUT ROWID;

-- Sums of the moves, kept beside them so that a close need not read them all; `royalty ledger verify` compares.
CREATE TABLE balances (
    key INTEGER PRIMARY KEY,
    amount INTEGER NOT NULL
) STRICT;

-- The journal for people: SELECT * FROM journal WHERE period = '2026' AND to_party = 'a-rao'.
CREATE VIEW journal AS
SELECT moves.number, line, transactions.kind, periods.name AS period,
    source.name AS from_account, giver.id AS from_party, target.name AS to_account, taker.id AS to_party, amount
FROM moves
JOIN transactions ON transactions.number = moves.number
JOIN accounts AS source ON source.number = from_account
JOIN accounts AS target ON target.number = to_account
LEFT JOIN periods ON periods.number = moves.period
LEFT JOIN parties AS giver ON giver.number = from_party
LEFT JOIN parties AS taker ON taker.number = to_party;

CREATE TRIGGER transactions_stay BEFORE UPDATE ON transactions BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER transactions_remain BEFORE DELETE ON transactions BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER accounts_stay BEFORE UPDATE ON accounts BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER accounts_remain BEFORE DELETE ON accounts BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER periods_stay BEFORE UPDATE ON periods BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER periods_remain BEFORE DELETE ON periods BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER parties_stay BEFORE UPDATE ON parties BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER parties_remain BEFORE DELETE ON parties BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER moves_stay BEFORE UPDATE ON moves BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER moves_remain BEFORE DELETE ON moves BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
