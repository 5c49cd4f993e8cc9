// quire preview: the paragraph setter of breaks.py for a page in a browser.
//
// It agrees with the Python on everything but the width of a glyph, where it asks the canvas,
// since a browser, unlike a terminal, has opinions about the letter i.

const HYPHEN_COST = 40;
const ORPHAN_COST = 90;

export function measurer(font) {
	const canvas = document.createElement("canvas").getContext("2d");
	canvas.font = font;
	const seen = new Map();
	return (text) => {
		if (!seen.has(text)) {
			seen.set(text, canvas.measureText(text).width);
		}
		return seen.get(text);
	};
}

export function breakLines(words, width, measure) {
	const space = measure(" ");
	const best = [0];
	const came = [0];
	for (let end = 1; end <= words.length; end += 1) {
		best[end] = Infinity;
		let line = -space;
		for (let start = end - 1; start >= 0; start -= 1) {
			line += measure(words[start]) + space;
			const gap = width - line;
			if (gap < 0 && end - start > 1) {
				break;
			}
			let cost = 0;
			if (end < words.length) {
				cost = Math.trunc((Math.max(gap, 0) / width) ** 3 * 1000);
				if (words[end - 1].endsWith("\u00ad")) {
					cost += HYPHEN_COST;
				}
			} else if (end - start === 1 && start > 0 && gap > (width * 2) / 3) {
				cost = ORPHAN_COST;
			}
			if (best[start] + cost < best[end]) {
				best[end] = best[start] + cost;
				came[end] = start;
			}
		}
	}
	const lines = [];
	for (let end = words.length; end > 0; end = came[end]) {
		lines.unshift(words.slice(came[end], end).join(" "));
	}
	return lines;
}

export function preview(element, { width = 420, font = "18px Georgia, serif" } = {}) {
	const measure = measurer(font);
	for (const paragraph of element.querySelectorAll("p")) {
		const words = paragraph.textContent.trim().split(/\s+/u);
		paragraph.replaceChildren(
			...breakLines(words, width, measure).map((line) => {
				const span = document.createElement("span");
				span.style.display = "block";
				span.textContent = line;
				return span;
			}),
		);
	}
}
