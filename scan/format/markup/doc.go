// Package markup reads what mail shows: HTML as a lenient client does, with the
// place of every tag and attribute in the original bytes, and plain text with
// the addresses in it. It reads a stream in bounded memory, and what it reports
// is facts: links, elements, scripts, the text a reader sees.
//
// It also knows what a link means: where a browser really goes, who registered
// that place, and what place a text claims.
package markup
