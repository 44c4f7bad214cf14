// Looks in places (index.js) for all words of a question, as the console does: what has the
// words in its heading comes first.
const form = document.getElementById("search");
const hits = document.getElementById("hits");
const score = ([, title, heading, text], words) => {
	let sum = 0;
	for (const w of words) {
		const h = heading.toLowerCase();
		if (h === w) sum += 20;
		else if (h.includes(w)) sum += 8;
		else if (text.toLowerCase().includes(w)) sum += 1;
		else return 0;
		if (title.toLowerCase().includes(w)) sum += 4;
	}
	return sum;
};
const look = () => {
	const words = form.q.value.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8);
	hits.replaceChildren();
	if (!words.length) return;
	const found = places.map((p) => [score(p, words), p]).filter(([n]) => n > 0);
	found.sort(([a], [b]) => b - a);
	for (const [, [to, title, heading]] of found.slice(0, 30)) {
		const line = document.createElement("p");
		const link = document.createElement("a");
		link.href = to;
		link.textContent = heading;
		line.append(link, " – " + title);
		hits.append(line);
	}
	if (!found.length) hits.textContent = "There is no place with all of these words.";
};
form.hidden = false;
form.addEventListener("submit", (e) => e.preventDefault());
form.q.addEventListener("input", look);
