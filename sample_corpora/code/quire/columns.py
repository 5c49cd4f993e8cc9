"""Tables whose columns share out the room between them.

Each column asks for what it would like (its widest cell) and says how little it can live
with (its widest word). If everybody can have what they like, they do. Otherwise everybody
gets the little, and what is left goes out one cell at a time to whoever is worst off,
which is a policy that has been proposed for larger things.

This file is indented with tabs, because its author was.
"""

from dataclasses import dataclass, field

from .breaks import set_paragraph
from .measure import cells, pad


@dataclass
class Cell:
	text: str
	span: int = 1

	@property
	def wish(self):
		return max((cells(line) for line in self.text.splitlines()), default=0)

	@property
	def least(self):
		return max((cells(word) for word in self.text.split()), default=0)


@dataclass
class Column:
	head: str
	align: str = "left"
	limit: int = 0					# 0: as wide as it likes
	rows: list = field(default_factory=list)

	def wish(self):
		size = max([cells(self.head)] + [cell.wish for cell in self.rows])
		return min(size, self.limit) if self.limit else size

	def least(self):
		return max([cells(self.head)] + [cell.least for cell in self.rows])


def share_out(wishes, leasts, room):
	"""Widths for columns that wish for `wishes`, can live with `leasts`, and have `room` in all."""
	if sum(wishes) <= room:
		return list(wishes)
	widths = [min(wish, least) for wish, least in zip(wishes, leasts)]
	spare = room - sum(widths)
	while spare > 0:
		worst, want = None, 0
		for number, width in enumerate(widths):
			if wishes[number] - width > want:
				worst, want = number, wishes[number] - width
		if worst is None:
			break
		widths[worst] += 1
		spare -= 1
	return widths


class Table:
	"""A table that is filled row by row, and then set as a list of lines.

		table = Table(Column("fish"), Column("price", align="right"))
		table.add("herring", "0.40")
		table.add("a herring of unusual size", "4.00")
		print("\\n".join(table.lines(width=30)))
	"""

	def __init__(self, *columns, gutter=2, rule="-"):
		if not columns:
			raise ValueError("a table needs a column")
		self.columns = columns
		self.gutter = gutter
		self.rule = rule

	def add(self, *texts):
		if len(texts) != len(self.columns):
			raise ValueError(f"{len(texts)} texts for {len(self.columns)} columns")
		for column, text in zip(self.columns, texts):
			column.rows.append(Cell(str(text)))

	def widths(self, width):
		room = width - self.gutter * (len(self.columns) - 1)
		wishes = [column.wish() for column in self.columns]
		leasts = [column.least() for column in self.columns]
		return share_out(wishes, leasts, room)

	def lines(self, width=80):
		widths = self.widths(width)
		between = " " * self.gutter
		out = []
		heads = []
		for column, size in zip(self.columns, widths):
			heads.append(pad(column.head, size, column.align))
		out.append(between.join(heads).rstrip())
		if self.rule:
			out.append(between.join(self.rule * size for size in widths))
		count = len(self.columns[0].rows)
		for number in range(count):
			out.extend(self._row(number, widths, between))
		return out

	def _row(self, number, widths, between):
		blocks = []
		for column, size in zip(self.columns, widths):
			cell = column.rows[number]
			block = []
			for paragraph in cell.text.splitlines() or [""]:
				if cells(paragraph) <= size:
					block.append(paragraph)
				else:
					for line in set_paragraph(paragraph, size):
						if cells(line) <= size:
							block.append(line)
						else:
							while line:
								if len(line) > size:
									if size > 1:
										block.append(line[:size - 1] + "-")
										line = line[size - 1:]
									else:
										block.append(line[:1])
										line = line[1:]
								else:
									block.append(line)
									line = ""
			blocks.append(block)
		height = max(len(block) for block in blocks)
		out = []
		for depth in range(height):
			parts = []
			for column, size, block in zip(self.columns, widths, blocks):
				text = block[depth] if depth < len(block) else ""
				parts.append(pad(text, size, column.align))
			out.append(between.join(parts).rstrip())
		return out


EXAMPLE = (
	("knot",					"use",												"regret"),
	("bowline",					"a loop that will not slip",						"none"),
	("sheet bend",				"two ropes of different opinions",					"slight"),
	("granny",					"none",												"immediate"),
	("half hitch",				"the end of another knot",							"deferred"),
	("constrictor",				"sacks, and the forgetting of scissors",			"lasting"),
)
