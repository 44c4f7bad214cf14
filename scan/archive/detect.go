package archive

import (
	"path"
	"strings"
)

// HeadSize is how much of the content Match is given.
const HeadSize = 1024

// Formats lists every format, in the order in which they are tried: those with a
// certain mark at their beginning first, those that may begin anywhere last.
func Formats() []Format {
	return []Format{
		gzipFormat{},
		bzip2Format{},
		tarFormat{},
		zipFormat{},
	}
}

// Named is the format of that name, or nil.
func Named(name string) Format {
	for _, f := range Formats() {
		if f.Name() == name {
			return f
		}
	}
	return nil
}

// suffixed is a Format whose files may carry no mark: where no content matches,
// the name decides.
type suffixed interface{ suffixes() []string }

// Detect is the one of formats the content has: the first that matches it, or,
// where the content is silent, one that any of the names points to; nil if there
// is none.
func Detect(formats []Format, c Content, names []string) Format {
	all := Readings(formats, c, names)
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// Readings are all of formats the content can be read in, the likeliest first: a
// GIF with a zip behind it has one, a gzip with a zip behind it has two.
func Readings(formats []Format, c Content, names []string) []Format {
	head := make([]byte, HeadSize)
	n, _ := c.ReadAt(head, 0)
	head = head[:n]
	var found []Format
	for _, f := range formats {
		if matches(f, head, c) {
			found = append(found, f)
		}
	}
	if len(found) == 0 && n > 0 {
		found = byName(formats, names)
	}
	return found
}

// matches is f.Match; what makes a Match panic is not its format.
func matches(f Format, head []byte, c Content) (ok bool) {
	err := safely(func() error { ok = f.Match(head, c); return nil })
	return ok && err == nil
}

func byName(formats []Format, names []string) []Format {
	var found []Format
	for _, f := range formats {
		if s, ok := f.(suffixed); ok && anySuffix(names, s.suffixes()) {
			found = append(found, f)
		}
	}
	return found
}

func anySuffix(names, suffixes []string) bool {
	for _, name := range names {
		ext := strings.ToLower(path.Ext(strings.TrimRight(name, ". ")))
		for _, s := range suffixes {
			if ext == s {
				return true
			}
		}
	}
	return false
}

// hasAny reports whether head begins with one of the marks.
func hasAny(head []byte, marks ...string) bool {
	for _, m := range marks {
		if len(head) >= len(m) && string(head[:len(m)]) == m {
			return true
		}
	}
	return false
}
