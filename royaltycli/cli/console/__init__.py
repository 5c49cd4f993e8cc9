"""The terminal: tables, bars, progress and messages. The only folder that knows rich.

Results go to standard output, all else to standard error. Colour and width follow the terminal and
NO_COLOR. Text that comes from a corpus is shown without the characters that steer a terminal.
"""

from royaltycli.cli.console.attribution import show_index, show_usage
from royaltycli.cli.console.bench import show_bench
from royaltycli.cli.console.counting import show_check, show_part, show_plan, show_scan
from royaltycli.cli.console.ledger import show_booked, show_rows, show_sum, show_verified
from royaltycli.cli.console.messages import clean, fail, say
from royaltycli.cli.console.network import show_network
from royaltycli.cli.console.paying import prove, show_estimate, show_mixtures, show_payout, show_shares
from royaltycli.cli.console.policies import (
    show_comparison,
    show_details,
    show_explanation,
    show_grid,
    show_policies,
)
from royaltycli.cli.console.progress import doing, going_through, scanning, waiting
from royaltycli.cli.console.statement import show_statement
from royaltycli.cli.console.tables import ROWS
from royaltycli.cli.console.tracing import show_trace

__all__ = [
    "ROWS",
    "clean",
    "doing",
    "fail",
    "going_through",
    "prove",
    "say",
    "scanning",
    "show_bench",
    "show_booked",
    "show_check",
    "show_comparison",
    "show_details",
    "show_estimate",
    "show_explanation",
    "show_grid",
    "show_index",
    "show_mixtures",
    "show_network",
    "show_part",
    "show_payout",
    "show_plan",
    "show_policies",
    "show_rows",
    "show_scan",
    "show_shares",
    "show_statement",
    "show_sum",
    "show_trace",
    "show_usage",
    "show_verified",
    "waiting",
]
